import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from movies.lake.arrow import arrow_schema
from movies.lake.commits import Appender
from movies.lake.delta import content_version, open_table, read, version_to_read
from movies.lake.gold_tables import OVERVIEW
from movies.lake.tables import FETCH_FAILURES, RAW_MOVIES
from movies.lake.upkeep import LONG_AGO, Upkeep, drop_older, maintain, redate_future
from tests.movies.lake.small_lake import write
from tests.movies.lake.test_commits import ids

T = TypeVar("T")

WEEK = timedelta(days=7)
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def batch(number: int, size: int = 3, at: datetime = NOW) -> pa.Table:
    rows = [
        {"movie_id": number * size + i, "payload": "{}", "fetched_at": at, "batch_id": "b", "source": "s"}
        for i in range(size)
    ]
    return pa.Table.from_pylist(rows, schema=arrow_schema(RAW_MOVIES))


def drop(root: str, moment: datetime = NOW) -> int:
    return drop_older(RAW_MOVIES, root, "fetched_at", moment)


def append_batches(root: str, count: int) -> Appender:
    appender = Appender(RAW_MOVIES, root, "s")
    for number in range(count):
        appender.append(batch(number), f"batch-{number}")
    return appender


def append_beside(appender: Appender, numbers: range, act: Callable[[], T]) -> T:
    """Append batches while another thread acts; return what came of that."""
    begun = threading.Barrier(2)
    with ThreadPoolExecutor(1) as threads:
        acting = threads.submit(lambda: (begun.wait(), act())[1])
        begun.wait()
        for number in numbers:
            appender.append(batch(number), f"batch-{number}")
        return acting.result()


def test_no_table_is_nothing_to_maintain(root):
    assert maintain(RAW_MOVIES, root, WEEK) is None


def test_small_files_become_one_with_the_same_rows_and_the_same_content_version(root):
    append_batches(root, 8)
    content = content_version(open_table(RAW_MOVIES, root))

    done = maintain(RAW_MOVIES, root, WEEK)

    assert done == Upkeep("raw/movies", files_before=8, files_after=1, files_deleted=0)
    assert ids(root) == list(range(24))
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
    assert ids(root) == list(range(12))


def test_many_rounds_of_upkeep_do_not_hide_which_version_has_the_content(root):
    write(OVERVIEW, root)
    content = content_version(open_table(OVERVIEW, root))

    for _ in range(120):
        maintain(OVERVIEW, root, WEEK)

    assert content_version(open_table(OVERVIEW, root)) == content


def test_upkeep_in_the_middle_of_an_ingestion_loses_nothing_and_doubles_nothing(root):
    appender = append_batches(root, 5)

    append_beside(appender, range(5, 25), lambda: [maintain(RAW_MOVIES, root, WEEK) for _ in range(5)])

    assert ids(root) == list(range(75))
    assert appender.commits == 25


def test_rows_from_before_a_moment_are_dropped_to_the_microsecond_and_all_others_stay_as_they_were(root):
    appender = Appender(RAW_MOVIES, root, "s")
    moments = [
        NOW - timedelta(microseconds=1),
        NOW,
        NOW + timedelta(microseconds=1),
        NOW - timedelta(days=400),
    ]
    for number, at in enumerate(moments):
        appender.append(batch(number, size=1, at=at), f"batch-{number}")
    maintain(RAW_MOVIES, root, WEEK)
    content = content_version(open_table(RAW_MOVIES, root))

    assert drop(root) == 2

    kept = [batch(number, size=1, at=moments[number]) for number in (1, 2)]
    assert read(RAW_MOVIES, root).sort_by("movie_id") == pa.concat_tables(kept)
    assert content_version(open_table(RAW_MOVIES, root)) != content
    assert drop(root, NOW.astimezone(timezone(timedelta(hours=2)))) == 0


def test_where_nothing_is_too_old_nothing_is_committed(root):
    append_batches(root, 2)
    before = open_table(RAW_MOVIES, root).version()

    assert drop(root) == 0
    assert open_table(RAW_MOVIES, root).version() == before
    assert drop(f"{root}/nothing") == 0


def test_all_rows_of_a_table_may_be_too_old(root):
    append_batches(root, 2)

    assert drop(root, NOW + WEEK) == 6
    assert ids(root) == []
    assert drop(root, NOW + WEEK) == 0


def test_rows_are_dropped_from_what_another_commit_has_left(root, monkeypatch):
    appender = append_batches(root, 2)
    seen = open_table(RAW_MOVIES, root)
    appender.append(batch(2, at=NOW + WEEK), "batch-2")
    monkeypatch.setattr("movies.lake.upkeep.open_table", lambda *_: seen)

    assert drop(root, NOW + WEEK) == 6

    assert ids(root) == [6, 7, 8]


def test_rows_dropped_in_the_middle_of_an_ingestion_take_none_of_its_own_along(root):
    appender = Appender(RAW_MOVIES, root, "s")
    for number in range(10):
        appender.append(batch(number, at=NOW - (10 - number) * WEEK), f"batch-{number}")

    dropped = append_beside(
        appender, range(10, 25), lambda: [drop(root, NOW - (9 - number) * WEEK) for number in range(10)]
    )

    assert dropped == [3] * 10
    assert ids(root) == list(range(30, 75))
    assert appender.commits == 25


def test_rows_from_after_the_present_lose_to_whatever_is_fetched_later(root):
    appender = Appender(RAW_MOVIES, root, "s")
    for number, years in enumerate((0, 93, -1)):
        appender.append(batch(number, at=NOW.replace(year=NOW.year + years)), f"batch-{number}")

    assert redate_future(RAW_MOVIES, root, "fetched_at", NOW) == 3

    found = read(RAW_MOVIES, root)
    dates = dict(zip(*(found[name].to_pylist() for name in ("movie_id", "fetched_at")), strict=True))
    last_year = NOW.replace(year=NOW.year - 1)
    expected = [NOW] * 3 + [LONG_AGO] * 3 + [last_year] * 3
    assert dates == dict(enumerate(expected))
    assert found["payload"].to_pylist() == ["{}"] * 9


def test_without_rows_from_after_the_present_nothing_is_committed(root):
    append_batches(root, 2)
    before = open_table(RAW_MOVIES, root).version()

    assert redate_future(RAW_MOVIES, root, "fetched_at", NOW) == 0
    assert redate_future(FETCH_FAILURES, root, "failed_at", NOW) == 0
    assert open_table(RAW_MOVIES, root).version() == before
