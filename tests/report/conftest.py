"""Gold tables of 18 and of 1,601 real movies, and of hardly any."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from report import Gold, Provenance
from tests.report.gold_tables import gold_from_silver


def silver_rows(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


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
    return Provenance(18, 3, "a1b2c3d4", dt.datetime(2026, 11, 20, 14, 3, tzinfo=dt.UTC))
