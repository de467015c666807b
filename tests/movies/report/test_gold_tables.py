"""The gold tables that these tests draw from say what the reference says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from movies.report.gold import Gold
from tests.reference import assert_agree


@pytest.mark.parametrize(
    ("fixture", "file"),
    [
        pytest.param("gold_18", "expected_18.json", id="18"),
        pytest.param("gold_1601", "expected_sample_1601.json", id="1601"),
    ],
)
def test_tables_hold_the_expected_kpis(
    fixture: str, file: str, shared_data: Path, request: pytest.FixtureRequest
) -> None:
    gold: Gold = request.getfixturevalue(fixture)

    assert_agree(gold.tables, json.loads((shared_data / "reference" / file).read_text()))
