"""Columns and meanings that are declared later reach tables that were made before."""

from __future__ import annotations

import tarfile
from dataclasses import replace as other
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from movies.lake.all_tables import TABLES
from movies.lake.delta import content_version, create, open_table, query, read
from movies.lake.gold_tables import YEARS
from movies.lake.lake_errors import SchemaMismatchError
from movies.lake.publications import find_damage, read_publications
from movies.lake.table import Column, Table
from movies.lake.tables import SILVER_MOVIES
from movies.lake.upkeep import maintain
from tests.movies.lake.small_lake import write


def older(table: Table, *lacking: str) -> Table:
    """The table as an earlier version declared it."""
    columns = {name: column for name, column in table.columns.items() if name not in lacking}
    return other(table, columns=MappingProxyType(columns))


def test_a_table_gets_the_columns_it_lacks_null_in_its_rows(root: str) -> None:
    before = older(YEARS, "movies", "price_index")
    write(before, root, {"release_year": 2001, "mean_profit_musd": 1.5})

    create(YEARS, root)

    [row] = read(YEARS, root).to_pylist()
    assert row == dict.fromkeys(YEARS.columns) | {"release_year": 2001, "mean_profit_musd": 1.5}
    assert list(row) == list(YEARS.columns)


def test_a_table_with_partitions_gets_them_too_and_takes_new_rows(root: str) -> None:
    before = older(SILVER_MOVIES, "tagline")
    write(before, root, {"id": 1, "release_year": 2001})

    write(SILVER_MOVIES, root, {"id": 2, "release_year": 2002, "tagline": "New."})

    assert [row["tagline"] for row in read(SILVER_MOVIES, root).to_pylist()] == ["New."]


@pytest.mark.parametrize("change", ["more", "otherwise"])
def test_a_table_of_a_newer_or_of_another_version_is_refused(root: str, change: str) -> None:
    columns = dict(YEARS.columns) | {"new" if change == "more" else "movies": Column("string", "Another.")}
    create(other(YEARS, columns=MappingProxyType(columns)), root)

    with pytest.raises(SchemaMismatchError, match=r"gold/years has the columns .* works with"):
        create(YEARS, root)


def stored_meanings(found: DeltaTable) -> tuple[str | None, dict[str, str | None]]:
    columns = {field.name: field.metadata.get("comment") for field in found.schema().fields}
    return found.metadata().description, columns


def meanings(table: Table) -> tuple[str, dict[str, str]]:
    return table.meaning, {name: column.meaning for name, column in table.columns.items()}


@pytest.mark.parametrize("renew", [create, lambda table, root: maintain(table, root, timedelta(days=7))])
def test_a_meaning_that_has_changed_reaches_the_schema_and_changes_no_content(renew, root: str) -> None:
    columns = YEARS.columns | {"movies": Column("long", "Films.")}
    content = write(other(YEARS, columns=columns, meaning="Years."), root, {"release_year": 2001})

    renew(YEARS, root)

    found = open_table(YEARS, root)
    assert stored_meanings(found) == meanings(YEARS)
    assert content_version(found) == content
    version = found.version()
    assert create(YEARS, root).version() == version
    write(YEARS, root, {"release_year": 2002})
    assert stored_meanings(open_table(YEARS, root)) == meanings(YEARS)


def test_the_lake_of_version_0_1_0_gets_its_meanings_and_keeps_every_row(
    tmp_path: Path, shared_data: Path
) -> None:
    with tarfile.open(shared_data / "data" / "lake_0.1.0.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    root = str(tmp_path / "lake")
    there = [table for table in TABLES if open_table(table, root) is not None]

    def contents() -> list[tuple[pa.Table, object]]:
        found = [open_table(table, root) for table in there]
        return [(query(table, "SELECT * FROM t"), content_version(table)) for table in found]

    before = contents()
    for table in there:
        version = open_table(table, root).version()
        found = create(table, root)
        assert (stored_meanings(found), found.version()) == (meanings(table), version + 2), table.name
    assert contents() == before
    assert [find_damage(root, publication) for publication in read_publications(root).values()] == ["", ""]
