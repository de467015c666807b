import asyncio
from array import array
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from deltalake import DeltaTable
from hypothesis import given, settings
from hypothesis import strategies as st

from movies.lake.checkpoints import Committer
from movies.lake.inventory import read_inventory
from movies.lake.lake_errors import MixedSourcesError
from movies.lake.tables import RAW_MOVIES
from movies.lake.upkeep import drop_older
from movies.lake.work_list import WorkList, check_source, find_sources, owed_movies, plan_work, stale_movies
from tests.movies.lake.rows import NOW, Failure, Movie

DAY = timedelta(days=1)


def commit(
    root: str,
    movies: list[Movie],
    failures: Sequence[Failure] = (),
    source: str = "sandbox",
    marks: Sequence[Any] = (),
) -> None:
    async def run() -> None:
        committer = Committer(root, source=source, run_id="run", marks=marks)
        await committer.hand_in(committer.open_batch(1), movies, failures)

    asyncio.run(run())


def work(*to_fetch: int, present: int = 0, absent: int = 0) -> WorkList:
    return WorkList(array("q", to_fetch), present, absent)


def test_an_empty_lake_lacks_everything_once_and_in_order(root):
    assert plan_work(read_inventory(root), [3, 1, 3, 2]) == work(3, 1, 2)


def test_what_is_here_or_known_not_to_exist_is_not_fetched(root):
    commit(root, [Movie(1)], [Failure(2, "not_found"), Failure(3, "exhausted_retries")])

    assert plan_work(read_inventory(root), [1, 2, 3, 4]) == work(3, 4, present=1, absent=1)


def test_a_refresh_fetches_everything_asked_for(root):
    commit(root, [Movie(1)], [Failure(2, "not_found")])

    assert plan_work(read_inventory(root), [1, 2], refresh=True) == work(1, 2)


def test_what_is_older_than_wanted_is_fetched_again_the_absent_too(root):
    old = NOW - timedelta(days=8)
    commit(root, [Movie(1, old), Movie(2)], [Failure(3, "not_found", old), Failure(4, "not_found")])

    planned = plan_work(read_inventory(root), [1, 2, 3, 4, 5], needed_since=NOW - timedelta(days=7))

    assert planned == work(1, 3, 5, present=1, absent=1)


def test_each_movie_may_be_needed_since_a_moment_of_its_own(root):
    commit(root, [Movie(1), Movie(2), Movie(3)], [Failure(4, "not_found")])
    needed = [NOW - DAY, NOW, NOW + DAY, NOW + DAY, NOW - DAY]

    planned = plan_work(read_inventory(root), [1, 2, 3, 4, 5], needed_since=needed)

    assert planned == work(3, 4, 5, present=2)


def test_a_movie_that_came_to_exist_is_present(root):
    commit(root, [], [Failure(1, "not_found")])
    commit(root, [Movie(1, NOW + DAY)])

    assert plan_work(read_inventory(root), [1]) == work(present=1)


def test_a_movie_that_was_deleted_is_absent_and_no_longer_stale(root):
    commit(root, [Movie(1, NOW - DAY), Movie(2, NOW - DAY)], [Failure(1, "not_found")])

    inventory = read_inventory(root)

    assert plan_work(inventory, [1]) == work(absent=1)
    assert stale_movies(inventory, NOW) == array("q", [2])
    assert inventory.is_deleted.to_pylist() == [
        movie == 1 for movie in inventory.movies["movie_id"].to_pylist()
    ]


def test_stale_are_movies_whose_latest_payload_is_old_and_which_are_not_known_to_be_gone(root):
    old = NOW - 200 * DAY
    movies = [Movie(1, old), Movie(2, old), Movie(2), Movie(3), Movie(4, old), Movie(5, old)]
    commit(
        root, movies, [Failure(4, "not_found"), Failure(5, "exhausted_retries"), Failure(6, "not_found", old)]
    )

    inventory = read_inventory(root)

    assert stale_movies(inventory, NOW - 180 * DAY) == array("q", [1, 5])
    assert stale_movies(inventory, NOW + DAY) == array("q", [1, 2, 3, 5])
    assert stale_movies(read_inventory(f"{root}/nothing"), NOW) == array("q")


def test_what_failed_last_is_owed_with_its_last_reason_until_it_is_settled(root):
    commit(
        root,
        [Movie(1), Movie(4)],
        [
            Failure(1, "exhausted_retries", NOW - DAY),
            Failure(2, "exhausted_retries", NOW - DAY),
            Failure(2, "invalid_payload"),
            Failure(3, "exhausted_retries", NOW - DAY),
            Failure(3, "not_found"),
            Failure(4, "exhausted_retries", NOW + DAY),
        ],
    )

    inventory = read_inventory(root)

    assert owed_movies(inventory) == array("q", [2, 4])
    assert inventory.owed_by_reason == {"exhausted_retries": 1, "invalid_payload": 1}


def test_a_movie_that_failed_last_is_asked_for_again_however_new_its_payload_is(root):
    commit(root, [Movie(1, NOW), Movie(2, NOW)], [Failure(1, "exhausted_retries", NOW + DAY)])

    inventory = read_inventory(root)

    assert plan_work(inventory, [1, 2], needed_since=NOW - DAY) == work(1, present=1)
    assert plan_work(inventory, [1, 2]) == work(present=2)


def test_a_movie_stays_owed_when_the_payload_that_could_not_be_refreshed_is_dropped(root):
    old = NOW - 200 * DAY
    commit(root, [Movie(1, old), Movie(2, old), Movie(3, old), Movie(4, old)], [])
    # The last of them was once absent, as TMDB lists some movies late.
    failures = [Failure(2, "exhausted_retries"), Failure(3, "not_found"), Failure(4, "exhausted_retries")]
    commit(root, [Movie(1)], [*failures, Failure(4, "not_found", old - DAY)])

    assert drop_older(RAW_MOVIES, root, "fetched_at", NOW - 180 * DAY) == 4

    inventory = read_inventory(root)
    assert owed_movies(inventory) == array("q", [2, 4])
    assert plan_work(inventory, [1, 2, 3, 4]) == work(2, 4, present=1, absent=1)


def test_an_inventory_is_read_again_only_where_the_tables_have_changed(root):
    commit(root, [Movie(1)])
    known = read_inventory(root)

    assert read_inventory(root, known) is known
    commit(root, [Movie(2)])
    assert sorted(read_inventory(root, known).movies["movie_id"].to_pylist()) == [1, 2]


answers = st.lists(
    st.tuples(
        st.integers(1, 4), st.integers(0, 5), st.sampled_from(["fetched", "not_found", "exhausted_retries"])
    ),
    unique_by=lambda answer: answer[:2],
    max_size=12,
)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(answers)
def test_the_last_answer_to_each_movie_decides_and_an_absent_one_is_asked_for_while_it_is_owed(answers):
    with TemporaryDirectory() as root:
        for movie_id, day, outcome in answers:
            at = NOW + day * DAY
            if outcome == "fetched":
                commit(root, [Movie(movie_id, at)])
            else:
                commit(root, [], [Failure(movie_id, outcome, at)])
        settled: dict[int, str] = {}
        for movie_id, _, outcome in sorted(answers, key=lambda answer: answer[1]):
            if outcome != "exhausted_retries":
                settled[movie_id] = outcome
            elif settled.get(movie_id) == "not_found":
                del settled[movie_id]

        planned = plan_work(read_inventory(root), range(1, 5))

    assert list(planned.to_fetch) == [movie_id for movie_id in range(1, 5) if movie_id not in settled]
    assert planned.absent == list(settled.values()).count("not_found")


@pytest.mark.parametrize(
    ("there", "coming", "refused"),
    [
        ("sandbox", "https://tmdb.test/3", True),
        ("https://tmdb.test/3", "sandbox", True),
        ("sandbox", "sandbox", False),
        ("https://tmdb.test/3", "https://mirror.test/3", False),
    ],
)
@pytest.mark.parametrize(
    "rows", [([Movie(1)], []), ([], [Failure(1, "not_found")])], ids=["movies", "absent-movies"]
)
def test_sandbox_movies_and_others_are_not_mixed(rows, there, coming, refused, root):
    check_source(root, coming, "sandbox")
    commit(root, *rows, source=there)

    if refused:
        with pytest.raises(MixedSourcesError, match=f"holds movies from {there}.*Choose another LAKE_ROOT"):
            check_source(root, coming, "sandbox")
    else:
        check_source(root, coming, "sandbox")


def test_a_lake_knows_where_its_movies_come_from_also_if_their_files_are_lost(root):
    assert find_sources(root) == set()
    commit(root, [Movie(1)], [], source="sandbox")
    for file in Path(RAW_MOVIES.path(root)).glob("*.parquet"):
        file.unlink()

    assert find_sources(root) == {"sandbox"}


def test_two_sources_in_one_file_are_both_found(root):
    sources = ["https://a.test/3", "https://b.test/3", "https://c.test/3"]
    for source in sources:
        commit(root, [Movie(1)], [], source=source)
    DeltaTable(RAW_MOVIES.path(root)).optimize.compact()

    assert find_sources(root) == set(sources)
