"""Gold tables of 18 and of 1,601 real movies, and of hardly any."""

from __future__ import annotations

from pathlib import Path

import pytest

from movies.report.gold import Gold
from movies.report.provenance import Provenance
from tests.movies.report.gold_tables import gold_from_silver, silver_rows
from tests.movies.report.golden_plots import PROVENANCE


@pytest.fixture(scope="session")
def gold_18(shared_data: Path) -> Gold:
    return gold_from_silver(silver_rows(shared_data / "reference" / "expected_silver_18.ndjson.gz"))


@pytest.fixture(scope="session")
def gold_1601(shared_data: Path) -> Gold:
    return gold_from_silver(silver_rows(shared_data / "reference" / "expected_silver_1601.ndjson.gz"))


@pytest.fixture(scope="session")
def no_gold() -> Gold:
    return gold_from_silver([])


@pytest.fixture(scope="session")
def provenance() -> Provenance:
    return PROVENANCE
