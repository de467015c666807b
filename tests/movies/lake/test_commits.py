import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from movies.lake import commits
from movies.lake.all_tables import TABLES
from movies.lake.arrow import arrow_schema
from movies.lake.commits import APPLICATION_ID, Appender, replace
from movies.lake.delta import content_version, create, current_version, open_table, query, read
from movies.lake.gold_tables import OVERVIEW
from movies.lake.lake_errors import LakeAccessError, SchemaMismatchError
from movies.lake.table import Column
from movies.lake.tables import RAW_MOVIES
from tests.movies.lake.small_lake import write

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def movies(*movie_ids: int, batch_id: str = "b") -> pa.Table:
    rows = [
        {"movie_id": movie_id, "payload": "{}", "fetched_at": NOW, "batch_id": batch_id, "source": "sandbox"}
        for movie_id in movie_ids
    ]
    return pa.Table.from_pylist(rows, schema=arrow_schema(RAW_MOVIES))


def ids(lake_root: str) -> list[int]:
    found = open_table(RAW_MOVIES, lake_root)
    return query(found, "SELECT movie_id FROM t ORDER BY movie_id").column(0).to_pylist()


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_table_is_created_with_its_columns_all_nullable(table, root):
    create(table, root)

    found = create(table, root)

    fields = found.schema().fields
    assert {
        field.name: Column(field.type.type, field.metadata["comment"]) for field in fields
    } == table.columns
    assert all(field.nullable for field in fields)
    assert tuple(found.metadata().partition_columns) == table.partition_by
    # What every reader of Delta understands, Apache Spark among them.
    assert found.protocol().min_reader_version == 1


def test_a_table_with_other_columns_is_refused(root):
    write(OVERVIEW, root)

    with pytest.raises(SchemaMismatchError, match="mean_rating"):
        create(dataclasses.replace(RAW_MOVIES, name=OVERVIEW.name), root)


def test_each_batch_is_one_commit_with_the_next_number(root):
    appender = Appender(RAW_MOVIES, root, "sandbox")

    appender.append(movies(1, 2), "a")
    appender.append(movies(3), "b")

    assert ids(root) == [1, 2, 3]
    table = DeltaTable(RAW_MOVIES.path(root))
    assert (table.version(), table.transaction_version(APPLICATION_ID)) == (2, 2)
    assert [commit.get("batch_id") for commit in table.history()] == ["b", "a", None]


def test_a_write_that_reports_failure_but_landed_is_not_repeated(root, monkeypatch):
    real = commits.write_deltalake

    def write_and_fail(*args, **kwargs):
        real(*args, **kwargs)
        raise DeltaError("the answer got lost")

    appender = Appender(RAW_MOVIES, root, "sandbox")
    monkeypatch.setattr(commits, "write_deltalake", write_and_fail)
    appender.append(movies(1), "a")
    monkeypatch.undo()
    appender.append(movies(2), "b")

    assert ids(root) == [1, 2]


def test_a_write_that_failed_is_told_and_can_be_repeated(root, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    appender = Appender(RAW_MOVIES, root, "sandbox")
    with monkeypatch.context() as patch:
        patch.setattr(commits, "write_deltalake", fail)
        with pytest.raises(LakeAccessError, match=r"raw/movies cannot be written: .*No space left"):
            appender.append(movies(1), "a")
    appender.append(movies(1), "a")

    assert ids(root) == [1]


def appender(root: str) -> Appender:
    return Appender(RAW_MOVIES, root, "sandbox", unique="movie_id")


def append(to: Appender, batch_id: str, *movie_ids: int) -> int:
    return to.append(movies(*movie_ids, batch_id=batch_id), batch_id)


def test_two_runs_on_one_lake_commit_each_movie_once(root):
    first, second = appender(root), appender(root)

    assert append(first, "a", 1, 2) == 2
    assert append(second, "b", 2, 3) == 1
    assert append(first, "c", 3) == 0
    assert append(second, "d", 1, 4) == 1

    assert ids(root) == [1, 2, 3, 4]


def test_what_was_committed_since_the_work_was_planned_is_left_out_too(root):
    planned_on_nothing = current_version(RAW_MOVIES, root)
    append(appender(root), "a", 1)
    planned_on_one = current_version(RAW_MOVIES, root)
    append(appender(root), "b", 2)

    late = Appender(RAW_MOVIES, root, "sandbox", "movie_id", planned_on_one)
    assert append(late, "c", 1, 2, 3) == 2
    first = Appender(RAW_MOVIES, root, "sandbox", "movie_id", planned_on_nothing)
    assert append(first, "d", 1, 2, 3, 4) == 1

    assert ids(root) == [1, 1, 2, 3, 4]


def test_a_movie_that_was_there_before_both_runs_may_be_committed_again(root):
    append(appender(root), "old", 1)
    first, second = appender(root), appender(root)

    append(first, "a", 1)
    append(second, "b", 1)

    assert ids(root) == [1, 1], "a refresh, and only one"


def test_a_commit_that_slips_in_during_the_write_makes_it_begin_again(root, meanwhile):
    first, second = appender(root), appender(root)

    meanwhile(commits, "write_deltalake", lambda: append(first, "a", 1))
    assert append(second, "b", 1, 2) == 1

    assert ids(root) == [1, 2]


def test_rows_dropped_during_the_write_make_it_begin_again(root, meanwhile):
    own = appender(root)
    append(own, "a", 1, 2)

    table = DeltaTable(RAW_MOVIES.path(root))
    meanwhile(commits, "write_deltalake", lambda: table.delete("movie_id = 1"))
    append(own, "b", 3)

    assert ids(root) == [2, 3]
    assert own.commits == 2


def test_a_commit_right_behind_ones_own_is_not_overlooked(root, meanwhile):
    first, second = appender(root), appender(root)

    meanwhile(commits, "write_deltalake", lambda: append(first, "a", 2), after=True)
    append(second, "b", 1)
    append(second, "c", 2, 3)

    assert ids(root) == [1, 2, 3]


def test_a_write_that_landed_below_another_runs_is_not_repeated(root, meanwhile):
    first, second = appender(root), appender(root)

    def commit_and_lose_the_answer() -> None:
        append(first, "a", 2)
        raise DeltaError("the answer got lost")

    meanwhile(commits, "write_deltalake", commit_and_lose_the_answer, after=True)
    append(second, "b", 1)
    append(second, "c", 3)

    assert ids(root) == [1, 2, 3]


def test_runs_that_commit_all_the_time_neither_lose_nor_double_anything(root):
    create(RAW_MOVIES, root)
    begun = threading.Barrier(4)

    def run(name: int) -> None:
        own = appender(root)
        begun.wait()
        for batch in range(6):
            append(own, f"{name}-{batch}", *range(batch * 10, batch * 10 + 10), 1000 + name * 10 + batch)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(run, range(4)))

    assert ids(root) == [
        *range(60),
        *sorted(1000 + name * 10 + batch for name in range(4) for batch in range(6)),
    ]


def test_compaction_and_deletion_meanwhile_do_not_disturb_a_run(root):
    own = appender(root)
    own.append(movies(1), "a")
    own.append(movies(2), "b")

    DeltaTable(RAW_MOVIES.path(root)).optimize.compact()
    own.append(movies(3), "c")
    DeltaTable(RAW_MOVIES.path(root)).delete("movie_id = 1")
    own.append(movies(4), "d")

    assert ids(root) == [2, 3, 4]


def test_compaction_changes_the_version_and_not_the_content(root):
    appender = Appender(RAW_MOVIES, root, "sandbox")
    appender.append(movies(1), "a")
    appender.append(movies(2), "b")
    before = content_version(DeltaTable(RAW_MOVIES.path(root)))

    DeltaTable(RAW_MOVIES.path(root)).optimize.compact()

    table = DeltaTable(RAW_MOVIES.path(root))
    assert table.version() == 3
    assert content_version(table) == before
    assert before.version == 2


def test_a_table_made_again_is_another_table(root, tmp_path):
    first = write(OVERVIEW, root, {"movies": 1})
    (tmp_path / OVERVIEW.name).rename(tmp_path / "gone")

    second = write(OVERVIEW, root, {"movies": 1})

    assert first.version == second.version
    assert first.table_id != second.table_id


def test_replacing_leaves_only_the_new_rows_and_an_old_version_can_be_read(root):
    first = write(OVERVIEW, root, {"movies": 1})
    write(OVERVIEW, root, {"movies": 2})

    assert read(OVERVIEW, root).column("movies").to_pylist() == [2]
    assert read(OVERVIEW, root, first.version).column("movies").to_pylist() == [1]


def test_rows_handed_over_in_chunks_keep_their_order(root):
    chunks = [[{"movies": number}] for number in range(50)]
    schema = arrow_schema(OVERVIEW)

    replace(OVERVIEW, root, pa.concat_tables(pa.Table.from_pylist(rows, schema=schema) for rows in chunks))

    found = read(OVERVIEW, root)
    assert found is not None
    assert found.column("movies").to_pylist() == list(range(50))


def test_a_table_that_several_runs_create_at_once_is_one_table(root):
    begun = threading.Barrier(8)

    def make() -> str:
        begun.wait()
        return str(create(RAW_MOVIES, root).metadata().id)

    with ThreadPoolExecutor(8) as threads:
        made = [attempt.result() for attempt in [threads.submit(make) for _ in range(8)]]

    found = open_table(RAW_MOVIES, root)
    assert found.version() == 0
    assert set(made) == {str(found.metadata().id)}
