"""The gold tables that these tests draw from say what the reference says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from movies.lake import gold_tables as tables
from movies.report.gold import Gold

SAMPLES = [
    pytest.param("gold_18", "expected_18.json", id="18"),
    pytest.param("gold_1601", "expected_sample_1601.json", id="1601"),
]


@pytest.mark.parametrize(("fixture", "file"), SAMPLES)
def test_tables_hold_the_expected_kpis(
    fixture: str, file: str, shared_data: Path, request: pytest.FixtureRequest
) -> None:
    gold: Gold = request.getfixturevalue(fixture)
    expected = json.loads((shared_data / "reference" / file).read_text())
    overview = {name: gold.overview[name] for name in expected["overview"]}
    assert overview == pytest.approx(expected["overview"])
    for name, ids in expected["movie_rankings"].items():
        assert [row["id"] for row in gold.ranking(name)] == ids, name
    for name, ids in expected["movie_searches"].items():
        assert [row["id"] for row in gold.search(name)] == ids, name
    for table, key in (
        (tables.FRANCHISE_COMPARISON, "segment"),
        (tables.FRANCHISES, "collection"),
        (tables.DIRECTORS, "director"),
        (tables.GENRES, "genre"),
        (tables.YEARS, "release_year"),
    ):
        rows = {str(row.pop(key)): row for row in gold.rows(table, by=key)}
        for name, row in expected[table.name.removeprefix("gold/")].items():
            found = {column: rows[name][column] for column in row}
            assert found == pytest.approx(row), (table.name, name)
