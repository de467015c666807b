"""Several writers at the same time: no one takes away what another has committed meanwhile."""

from __future__ import annotations

import subprocess
import sys

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from movies.lake import commits, snapshots
from movies.lake.arrow import arrow_schema
from movies.lake.commits import replace
from movies.lake.data_files import replace_rows
from movies.lake.delta import TableVersion, content_version, open_table, read
from movies.lake.gold_tables import OVERVIEW
from movies.lake.lake_errors import OvertakenError
from movies.lake.publications import Publication, publish, read_publications
from movies.lake.snapshots import Snapshot, read_snapshot, replace_by_file
from movies.lake.tables import FILTERED, IMDB_RATINGS
from tests.conftest import PROJECT_ROOT
from tests.movies.lake.small_lake import write

WRITERS, PUBLICATIONS_EACH = 3, 4
PUBLISH = """
import sys
from movies.lake.publications import Publication, publish
root, writer, times = sys.argv[1:]
sys.stdin.readline()
for time in range(int(times)):
    publish(root, Publication(f"stage {writer}", {}, {}, f"code {time}"))
"""


def test_a_publication_keeps_what_another_stage_publishes_at_the_same_moment(root, meanwhile):
    publish(root, Publication("transform", {}, {}, "old"))
    other = Publication("transform", {}, {}, "new")
    meanwhile(commits, "write_deltalake", lambda: publish(root, other))

    publish(root, Publication("forecast", {}, {}, "code"))

    found = read_publications(root)
    assert {stage: one.code_version for stage, one in found.items()} == {
        "transform": "new",
        "forecast": "code",
    }


def test_processes_that_publish_at_the_same_time_lose_nothing(root):
    publish(root, Publication("first", {}, {}, "code"))
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", PUBLISH, root, str(writer), str(PUBLICATIONS_EACH)],
            cwd=PROJECT_ROOT,
            stdin=subprocess.PIPE,
        )
        for writer in range(WRITERS)
    ]
    for writer in writers:
        writer.communicate(b"begin\n")

    assert [writer.returncode for writer in writers] == [0] * WRITERS
    assert {stage: one.code_version for stage, one in read_publications(root).items()} == {
        "first": "code",
        **{f"stage {writer}": f"code {PUBLICATIONS_EACH - 1}" for writer in range(WRITERS)},
    }


def test_a_table_that_is_replaced_twice_at_the_same_moment_names_each_content_by_its_own_version(
    root, meanwhile
):
    write(OVERVIEW, root, {"movies": 1})
    others: list[TableVersion] = []
    meanwhile(commits, "write_deltalake", lambda: others.append(write(OVERVIEW, root, {"movies": 2})))

    version = write(OVERVIEW, root, {"movies": 3})

    assert (others[0].version, version.version) == (2, 3)
    assert [read(OVERVIEW, root, number)["movies"].to_pylist() for number in (2, 3)] == [[2], [3]]


def test_the_content_of_an_open_table_is_not_that_of_a_later_commit(root):
    first = write(OVERVIEW, root, {"movies": 1})
    found = open_table(OVERVIEW, root)
    assert isinstance(found, DeltaTable)
    write(OVERVIEW, root, {"movies": 2})

    assert content_version(found) == first


def test_rows_made_for_one_content_do_not_go_into_another(root):
    rows = pa.Table.from_pylist([{"movie_id": 1, "reason": "old"}], schema=arrow_schema(FILTERED))
    before = replace(FILTERED, root, rows)
    replace(FILTERED, root, rows.slice(0, 0))

    with pytest.raises(OvertakenError):
        replace_rows(FILTERED, root, pa.array([1]), rows, {}, before)

    assert read(FILTERED, root).num_rows == 0


def test_a_mirrored_file_does_not_give_its_name_to_the_rows_of_another_one(root, meanwhile):
    mirror(root, "a", 1.0)
    # By the mark alone nothing is new, until another run commits another file.
    meanwhile(snapshots, "describe_file", lambda: mirror(root, "b", 2.0))

    mirror(root, "a", 1.0, mark="new mark")

    told = read_snapshot(IMDB_RATINGS, root)
    assert told is not None
    assert (told.digest, read(IMDB_RATINGS, root)["rating"].to_pylist()) == ("a", [1.0])


def mirror(root: str, digest: str, rating: float, mark: str = "mark") -> None:
    batch = pa.RecordBatch.from_pydict({"imdb_id": ["tt1"], "rating": [rating], "votes": [1]})
    constants = {"fetched_at": None, "batch_id": "b", "source": "s"}
    replace_by_file(IMDB_RATINGS, root, [batch], constants, lambda: Snapshot("file", mark, digest, "code", 1))
