"""An engine's files become a table's content, rows take the place of others, in one commit each."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from movies.lake import data_files as files
from movies.lake.arrow import arrow_schema
from movies.lake.data_files import adopt_files, new_folder, replace_rows
from movies.lake.delta import open_table, origin_of, query
from movies.lake.lake_errors import FilesMissingError, LakeAccessError, SchemaMismatchError
from movies.lake.table import Table
from movies.lake.tables import FILTERED, SILVER_MOVIES
from movies.lake.upkeep import compact, delete_unneeded_files
from tests.movies.lake.conftest import Meanwhile

ORIGIN = {"raw_movies_version": "3", "run_id": "r"}


def movies(*rows: tuple[int, int, str]) -> pa.Table:
    """Rows of silver by id, year and title."""
    found = [{"id": id_, "release_year": year, "title": title} for id_, year, title in rows]
    return pa.Table.from_pylist(found, schema=arrow_schema(SILVER_MOVIES))


def write_by_year(folder: str, rows: pa.Table) -> None:
    """Write files as an engine does: a folder for each year, whose value is not in the files."""
    for year in rows["release_year"].unique().to_pylist():
        place = Path(folder) / f"release_year={year}"
        place.mkdir(parents=True)
        part = rows.filter(pa.compute.equal(rows["release_year"], year)).drop_columns(["release_year"])
        pq.write_table(part, place / "part-0.parquet")


def adopt(root: str, *rows: tuple[int, int, str]) -> None:
    folder = new_folder(SILVER_MOVIES, root)
    write_by_year(folder, movies(*rows))
    adopt_files(SILVER_MOVIES, root, folder, len(rows), ORIGIN)


def titles(root: str, table: Table = SILVER_MOVIES) -> dict[int, tuple[int, str]]:
    rows = query(open_table(table, root), "SELECT id, release_year, title FROM t ORDER BY id").to_pylist()
    return {row["id"]: (row["release_year"], row["title"]) for row in rows}


def replace(root: str, keys: list[int], *rows: tuple[int, int, str]) -> int:
    return replace_rows(SILVER_MOVIES, root, pa.array(keys), movies(*rows), ORIGIN).version


def test_an_engines_files_become_the_whole_content_in_one_commit(root: str) -> None:
    adopt(root, (1, 2001, "One"), (2, 2001, "Two"), (3, 1999, "Three"))
    adopt(root, (2, 2002, "Second"), (4, 1999, "Four"))

    assert titles(root) == {2: (2002, "Second"), 4: (1999, "Four")}
    assert open_table(SILVER_MOVIES, root).version() == 2
    assert origin_of(SILVER_MOVIES, root) == ORIGIN


def test_nothing_written_makes_the_table_empty(root: str) -> None:
    adopt(root, (1, 2001, "One"))

    adopt_files(SILVER_MOVIES, root, new_folder(SILVER_MOVIES, root), 0, ORIGIN)

    assert titles(root) == {}


def test_files_that_are_not_here_leave_the_table_as_it_was(root: str) -> None:
    adopt(root, (1, 2001, "One"))

    with pytest.raises(FilesMissingError, match=r"^The engine has written 7 rows to .*, and 0 are there"):
        adopt_files(SILVER_MOVIES, root, new_folder(SILVER_MOVIES, root), 7, ORIGIN)

    assert titles(root) == {1: (2001, "One")}


def test_files_with_other_columns_are_refused(root: str) -> None:
    folder = new_folder(FILTERED, root)
    Path(folder).mkdir(parents=True)
    pq.write_table(pa.table({"movie_id": [1], "cause": ["x"]}), f"{folder}/part.parquet")

    with pytest.raises(SchemaMismatchError, match=r"has the columns \['movie_id', 'cause'\]"):
        adopt_files(FILTERED, root, folder, 1, ORIGIN)


def test_hidden_files_of_an_engine_are_no_data(root: str) -> None:
    folder = new_folder(SILVER_MOVIES, root)
    write_by_year(folder, movies((1, 2001, "One")))
    (Path(folder) / "release_year=2001" / ".part-0.parquet.crc").write_bytes(b"crc")
    (Path(folder) / "_SUCCESS").touch()

    adopt_files(SILVER_MOVIES, root, folder, 1, ORIGIN)

    assert titles(root) == {1: (2001, "One")}


def test_files_that_were_never_adopted_are_deleted_by_upkeep(root: str) -> None:
    adopt(root, (1, 2001, "One"))
    left = new_folder(SILVER_MOVIES, root)
    write_by_year(left, movies((9, 2001, "Nobody's")))

    delete_unneeded_files(open_table(SILVER_MOVIES, root), timedelta(0))

    assert list(Path(left).rglob("*.parquet")) == []
    assert titles(root) == {1: (2001, "One")}


def test_rows_take_the_place_of_those_with_their_keys_and_others_stay(root: str) -> None:
    adopt(root, (1, 2001, "One"), (2, 2001, "Two"), (3, 1999, "Three"), (4, 1987, "Four"))
    untouched = {path for path in open_table(SILVER_MOVIES, root).file_uris() if "1987" in path}

    version = replace(root, [2, 3, 5, 6], (2, 2001, "New"), (3, 2003, "Moved"), (5, 2003, "Added"))

    assert titles(root) == {
        1: (2001, "One"), 2: (2001, "New"), 3: (2003, "Moved"), 4: (1987, "Four"), 5: (2003, "Added"),
    }  # fmt: skip
    assert version == open_table(SILVER_MOVIES, root).version() == 2
    assert untouched < set(open_table(SILVER_MOVIES, root).file_uris())
    assert origin_of(SILVER_MOVIES, root) == ORIGIN


def test_rows_may_only_go(root: str) -> None:
    adopt(root, (1, 2001, "One"), (2, 1999, "Two"))

    replace(root, [1])

    assert titles(root) == {2: (1999, "Two")}


def test_keys_that_are_not_there_make_no_commit(root: str) -> None:
    adopt(root, (1, 2001, "One"))

    assert replace(root, [7, 8]) == 1


def test_what_is_compacted_meanwhile_is_taken_into_account(root: str, meanwhile: Meanwhile) -> None:
    adopt(root, (1, 2001, "One"), (2, 2001, "Two"))
    replace(root, [3], (3, 2001, "Three"))

    meanwhile(files, "commit_files", lambda: compact(open_table(SILVER_MOVIES, root)))
    replace(root, [1], (1, 2001, "New"))

    assert titles(root) == {1: (2001, "New"), 2: (2001, "Two"), 3: (2001, "Three")}


def test_a_table_without_partitions_is_changed_likewise(root: str) -> None:
    rows = [{"movie_id": n, "reason": "not_released"} for n in (1, 2)]
    schema = arrow_schema(FILTERED)
    replace_rows(FILTERED, root, pa.array([1, 2]), pa.Table.from_pylist(rows, schema=schema), ORIGIN)
    rows = [{"movie_id": 3, "reason": "deleted"}]
    replace_rows(FILTERED, root, pa.array([1, 3]), pa.Table.from_pylist(rows, schema=schema), ORIGIN)

    found = query(open_table(FILTERED, root), "SELECT movie_id, reason FROM t ORDER BY movie_id").to_pylist()
    assert found == [{"movie_id": 2, "reason": "not_released"}, {"movie_id": 3, "reason": "deleted"}]


def test_a_folder_that_cannot_be_written_is_told_with_the_table(root: str) -> None:
    adopt(root, (1, 2001, "One"))
    blocker = Path(SILVER_MOVIES.path(root)) / "release_year=2001"
    blocker.write_text("in the way")

    with pytest.raises(LakeAccessError, match=r"silver/movies cannot be written"):
        replace(root, [1], (1, 2001, "New"))

    assert titles(root) == {1: (2001, "One")}
