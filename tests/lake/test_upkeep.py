import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from lake.arrow import arrow_schema
from lake.commits import Appender, replace
from lake.delta import content_version, open_table, query, version_to_read
from lake.tables import OVERVIEW, RAW_MOVIES
from lake.upkeep import Upkeep, maintain

WEEK = timedelta(days=7)
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def root(tmp_path) -> str:
    return str(tmp_path)


def batch(number: int, size: int = 3) -> pa.Table:
    rows = [
        {"movie_id": number * size + i, "payload": "{}", "fetched_at": NOW, "batch_id": "b", "source": "s"}
        for i in range(size)
    ]
    return pa.Table.from_pylist(rows, schema=arrow_schema(RAW_MOVIES))


def rows(root: str) -> list[int]:
    found = open_table(RAW_MOVIES, root)
    return query(found, "SELECT movie_id FROM t ORDER BY movie_id").column(0).to_pylist()


def append_batches(root: str, count: int) -> Appender:
    appender = Appender(RAW_MOVIES, root, "s")
    for number in range(count):
        appender.append(batch(number), f"batch-{number}")
    return appender


def test_no_table_is_nothing_to_maintain(root):
    assert maintain(RAW_MOVIES, root, WEEK) is None


def test_small_files_become_one_with_the_same_rows_and_the_same_content_version(root):
    append_batches(root, 8)
    content = content_version(open_table(RAW_MOVIES, root))

    done = maintain(RAW_MOVIES, root, WEEK)

    assert done == Upkeep("raw/movies", files_before=8, files_after=1, files_deleted=0)
    assert rows(root) == list(range(24))
    found = open_table(RAW_MOVIES, root)
    assert content_version(found) == content
    assert version_to_read(found, content) == found.version() == content.version + 1


def test_a_second_upkeep_commits_nothing(root):
    append_batches(root, 3)
    maintain(RAW_MOVIES, root, WEEK)
    before = open_table(RAW_MOVIES, root).version()

    assert maintain(RAW_MOVIES, root, WEEK) == Upkeep("raw/movies", 1, 1, 0)

    assert open_table(RAW_MOVIES, root).version() == before


def test_files_replaced_longer_ago_than_the_retention_are_deleted_and_newer_ones_stay(root):
    append_batches(root, 4)
    maintain(RAW_MOVIES, root, WEEK)
    folder = Path(RAW_MOVIES.path(root))
    content = content_version(open_table(RAW_MOVIES, root))
    abandoned = folder / "part-of-a-crashed-run.parquet"
    abandoned.write_bytes(b"")
    long_ago = (datetime.now(UTC) - timedelta(days=8)).timestamp()
    os.utime(abandoned, (long_ago, long_ago))

    assert maintain(RAW_MOVIES, root, WEEK).files_deleted == 1
    assert len(list(folder.glob("*.parquet"))) == 5, "the four small files were replaced just now"

    assert maintain(RAW_MOVIES, root, timedelta(0)).files_deleted == 4
    assert len(list(folder.glob("*.parquet"))) == 1
    found = open_table(RAW_MOVIES, root)
    assert content_version(found) == content
    assert rows(root) == list(range(12))


def test_many_rounds_of_upkeep_do_not_hide_which_version_has_the_content(root):
    replace(OVERVIEW, root, pa.Table.from_pylist([], schema=arrow_schema(OVERVIEW)))
    content = content_version(open_table(OVERVIEW, root))

    for _ in range(120):
        maintain(OVERVIEW, root, WEEK)

    assert content_version(open_table(OVERVIEW, root)) == content


def test_upkeep_in_the_middle_of_an_ingestion_loses_nothing_and_doubles_nothing(root):
    appender = append_batches(root, 5)
    failures: list[BaseException] = []
    begun = threading.Barrier(2)

    def keep_up() -> None:
        try:
            begun.wait()
            for _ in range(5):
                maintain(RAW_MOVIES, root, WEEK)
        except BaseException as error:
            failures.append(error)

    upkeep = threading.Thread(target=keep_up)
    upkeep.start()
    begun.wait()
    for number in range(5, 25):
        appender.append(batch(number), f"batch-{number}")
    upkeep.join()

    assert failures == []
    assert rows(root) == list(range(75))
    assert appender.commits == 25
