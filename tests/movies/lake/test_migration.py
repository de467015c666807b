"""Columns that are declared later reach tables that were made before."""

from __future__ import annotations

from dataclasses import replace as other
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import pytest

from movies.lake.arrow import arrow_schema
from movies.lake.commits import replace
from movies.lake.delta import create, read
from movies.lake.errors import SchemaMismatchError
from movies.lake.gold_tables import YEARS
from movies.lake.table import Table
from movies.lake.tables import SILVER_MOVIES


@pytest.fixture
def root(tmp_path: Path) -> str:
    return str(tmp_path)


def older(table: Table, *lacking: str) -> Table:
    """The table as an earlier version declared it."""
    columns = {name: kind for name, kind in table.columns.items() if name not in lacking}
    return other(table, columns=MappingProxyType(columns))


def rows(table: Table, *found: dict[str, object]) -> pa.Table:
    return pa.Table.from_pylist(list(found), schema=arrow_schema(table))


def test_a_table_gets_the_columns_it_lacks_null_in_its_rows(root: str) -> None:
    before = older(YEARS, "movies", "price_index")
    replace(before, root, rows(before, {"release_year": 2001, "mean_profit_musd": 1.5}))

    create(YEARS, root)

    [row] = read(YEARS, root).to_pylist()
    assert row == dict.fromkeys(YEARS.columns) | {"release_year": 2001, "mean_profit_musd": 1.5}
    assert list(row) == list(YEARS.columns)


def test_a_table_with_partitions_gets_them_too_and_takes_new_rows(root: str) -> None:
    before = older(SILVER_MOVIES, "tagline")
    replace(before, root, rows(before, {"id": 1, "release_year": 2001}))

    replace(SILVER_MOVIES, root, rows(SILVER_MOVIES, {"id": 2, "release_year": 2002, "tagline": "New."}))

    assert [row["tagline"] for row in read(SILVER_MOVIES, root).to_pylist()] == ["New."]


@pytest.mark.parametrize("change", ["more", "otherwise"])
def test_a_table_of_a_newer_or_of_another_version_is_refused(root: str, change: str) -> None:
    columns = dict(YEARS.columns) | ({"new": "long"} if change == "more" else {"movies": "string"})
    create(other(YEARS, columns=MappingProxyType(columns)), root)

    with pytest.raises(SchemaMismatchError, match=r"gold/years has the columns .* works with"):
        create(YEARS, root)
