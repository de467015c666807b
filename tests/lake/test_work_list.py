import asyncio
from datetime import timedelta

import pytest

from lake.checkpoints import Committer
from lake.errors import MixedSourcesError
from lake.work_list import WorkList, check_source, plan_work
from tests.lake.rows import NOW, Failure, Movie


def commit(root: str, movies: list[Movie], failures: list[Failure] = (), source: str = "sandbox") -> None:
    async def run() -> None:
        committer = Committer(root, source=source, run_id="run")
        await committer.hand_in(committer.open_batch(1), movies, failures)

    asyncio.run(run())


@pytest.fixture
def root(tmp_path) -> str:
    return str(tmp_path / "lake")


def test_an_empty_lake_lacks_everything_once_and_in_order(root):
    assert plan_work(root, [3, 1, 3, 2]) == WorkList((3, 1, 2))


def test_what_is_here_or_known_not_to_exist_is_not_fetched(root):
    commit(root, [Movie(1)], [Failure(2, "not_found"), Failure(3, "exhausted_retries")])

    assert plan_work(root, [1, 2, 3, 4]) == WorkList((3, 4), present=1, absent=1)


def test_a_refresh_fetches_everything_asked_for(root):
    commit(root, [Movie(1)], [Failure(2, "not_found")])

    assert plan_work(root, [1, 2], refresh=True) == WorkList((1, 2))


def test_what_is_older_than_wanted_is_fetched_again_the_absent_too(root):
    old = NOW - timedelta(days=8)
    commit(root, [Movie(1, old), Movie(2)], [Failure(3, "not_found", old), Failure(4, "not_found")])

    work = plan_work(root, [1, 2, 3, 4], max_age_days=7, now=NOW)

    assert work == WorkList((1, 3), present=1, absent=1)


def test_a_movie_that_came_to_exist_is_present(root):
    commit(root, [], [Failure(1, "not_found")])
    commit(root, [Movie(1)])

    assert plan_work(root, [1]) == WorkList((), present=1)


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
        with pytest.raises(MixedSourcesError, match=f"holds movies from {there}.*choose another LAKE_ROOT"):
            check_source(root, coming, "sandbox")
    else:
        check_source(root, coming, "sandbox")
