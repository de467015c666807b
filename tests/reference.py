"""Gold tables beside the figures that the reference has for the same payloads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import pytest

Row = dict[str, Any]

# The groups whose figures the reference has, with the column that names a group.
GROUPS = {
    "franchise_comparison": "segment",
    "franchises": "collection",
    "directors": "director",
    "genres": "genre",
    "years": "release_year",
}


def nearly(row: Row) -> Row:
    """A row whose sums and means may differ in the order of their additions."""
    return {
        column: pytest.approx(value, rel=1e-12) if isinstance(value, float) else value
        for column, value in row.items()
    }


def ids_by(rows: Iterable[Row], key: str) -> dict[str, list[int]]:
    """The ids of movies under each text of a column, in the order of their ranks, which have no gaps."""
    found: dict[str, list[int]] = {}
    for row in sorted(rows, key=lambda row: row["rank"]):
        found.setdefault(row[key], []).append(row["id"])
        assert row["rank"] == len(found[row[key]])
    return found


def assert_agree(gold: Mapping[str, pa.Table], expected: dict[str, Any]) -> None:
    """Compare gold tables by their names with all that the reference says."""
    overview = gold["gold/overview"].select(list(expected["overview"]))
    assert overview.to_pylist() == [nearly(expected["overview"])]
    assert ids_by(gold["gold/movie_rankings"].to_pylist(), "ranking") == expected["movie_rankings"]
    hits = {search: ids for search, ids in expected["movie_searches"].items() if ids}
    assert ids_by(gold["gold/movie_searches"].to_pylist(), "search") == hits
    for name, key in GROUPS.items():
        rows = gold[f"gold/{name}"].to_pylist()
        if name == "directors":
            # The reference keeps only the first of them.
            rows = sorted(rows, key=lambda row: row["rank"])[: len(expected[name])]
        columns = next(iter(expected[name].values()), {})
        found = {str(row[key]): {column: row[column] for column in columns} for row in rows}
        assert found == {group: nearly(row) for group, row in expected[name].items()}, name
