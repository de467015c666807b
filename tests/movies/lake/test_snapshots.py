"""A table that mirrors a file: replaced whole where the file has other rows, and only then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from movies.lake.delta import content_version, open_table, read
from movies.lake.lake_errors import LakeAccessError
from movies.lake.snapshots import Snapshot, read_snapshot, replace_by_file
from movies.lake.tables import IMDB_RATINGS
from movies.lake.upkeep import maintain

AT = datetime(2026, 1, 1, tzinfo=UTC)
CONSTANTS = {"fetched_at": AT, "batch_id": "b1", "source": "ratings.tsv"}
SCHEMA = pa.schema({"imdb_id": pa.string(), "rating": pa.float64(), "votes": pa.int64()})
FIRST = Snapshot("ratings.tsv", "mark 1", "digest 1", "code", 3, {"bad_id": 2})


def batches(*sizes: int) -> Iterator[pa.RecordBatch]:
    for place, size in enumerate(sizes):
        rows = [{"imdb_id": f"tt{place}{n}", "rating": 5.5, "votes": n} for n in range(size)]
        yield pa.RecordBatch.from_pylist(rows, schema=SCHEMA)


def mirror(root: str, told: Snapshot, *sizes: int, **constants: Any) -> bool:
    return replace_by_file(IMDB_RATINGS, root, batches(*sizes), CONSTANTS | constants, lambda: told)[1]


def files_of(root: str) -> set[str]:
    return {path.name for path in Path(IMDB_RATINGS.path(root)).glob("*.parquet")}


def version(root: str) -> int:
    found = open_table(IMDB_RATINGS, root)
    assert found is not None
    return content_version(found).version


def test_a_files_rows_become_the_table_along_with_where_they_come_from(root: str) -> None:
    assert read_snapshot(IMDB_RATINGS, root) is None

    assert mirror(root, FIRST, 2, 1)

    rows = [("tt00", 5.5, 0), ("tt01", 5.5, 1), ("tt10", 5.5, 0)]
    found = read(IMDB_RATINGS, root)
    assert found is not None
    assert [tuple(row.values()) for row in found.to_pylist()] == [
        (*row, AT, "b1", "ratings.tsv") for row in rows
    ]
    assert read_snapshot(IMDB_RATINGS, root) == FIRST
    assert open_table(IMDB_RATINGS, root).history(1)[0]["batch_id"] == "b1"


def test_the_same_rows_are_not_committed_again_and_their_new_mark_changes_no_content(root: str) -> None:
    mirror(root, FIRST, 3)
    before, files = version(root), files_of(root)

    assert not mirror(root, FIRST, 3)
    assert open_table(IMDB_RATINGS, root).version() == before

    touched = replace(FIRST, mark="mark 2")
    assert not mirror(root, touched, 3, batch_id="b2")
    assert (version(root), files_of(root)) == (before, files)
    assert read_snapshot(IMDB_RATINGS, root) == touched


@pytest.mark.parametrize("change", [{"digest": "digest 2"}, {"code": "other"}])
def test_other_rows_and_other_code_replace_all_of_it(change: dict[str, str], root: str) -> None:
    mirror(root, FIRST, 3)

    assert mirror(root, replace(FIRST, **change), 1)

    assert read(IMDB_RATINGS, root).column("imdb_id").to_pylist() == ["tt00"]


def test_an_error_while_reading_leaves_the_table_and_no_file(root: str) -> None:
    mirror(root, FIRST, 3)
    before, files = version(root), files_of(root)

    def torn() -> Iterator[pa.RecordBatch]:
        yield from batches(2)
        raise EOFError("torn")

    with pytest.raises(EOFError):
        replace_by_file(IMDB_RATINGS, root, torn(), CONSTANTS, lambda: replace(FIRST, digest="2"))

    assert (version(root), files_of(root)) == (before, files)
    assert read_snapshot(IMDB_RATINGS, root) == FIRST


def test_upkeep_forgets_nothing_and_a_strangers_commit_is_not_taken_for_the_file(root: str) -> None:
    mirror(root, FIRST, 3)
    mirror(root, replace(FIRST, digest="2"), 2)
    maintain(IMDB_RATINGS, root, retention=AT - AT)
    assert read_snapshot(IMDB_RATINGS, root) == replace(FIRST, digest="2")

    open_table(IMDB_RATINGS, root).delete("imdb_id = 'tt00'")

    assert read_snapshot(IMDB_RATINGS, root) is None
    assert mirror(root, replace(FIRST, digest="2"), 2)


def test_a_place_that_cannot_be_written_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "raw").write_text("a file in the way")

    with pytest.raises(LakeAccessError, match="raw/imdb_ratings cannot be"):
        mirror(str(tmp_path), FIRST, 1)
