"""Which movies of the lake are found to be gone, and which rows of failures are of no concern to silver."""

from __future__ import annotations

from dataclasses import replace

import pytest

from movies.lake.arrow import arrow_rows
from movies.lake.changed_movies import find_gone
from movies.lake.commits import Appender
from movies.lake.delta import LakeView, content_version, open_table
from movies.lake.publications import find_publication, publish
from movies.lake.tables import FETCH_FAILURES
from stages.kpis_stage import KPIS_STAGE
from stages.names import StageName
from stages.stage import why_stale
from stages.transform_stage import transform_stage
from tests.movies.lake.rows import Failure
from tests.movies.lake.small_lake import FETCHED_AT, make_lake

TRANSFORM = transform_stage(with_ratings=False)


@pytest.fixture
def lake(tmp_path) -> str:
    """Movies 18, 24, 680 and 95, transformed by today's code, and 0, which was not found."""
    root = make_lake(str(tmp_path))
    for stage in (TRANSFORM, KPIS_STAGE):
        found = find_publication(root, stage.name)
        assert found is not None
        publish(root, replace(found, code_version=stage.code))
    return root


def add_failure(lake: str, movie_id: int, reason: str) -> None:
    rows = arrow_rows(FETCH_FAILURES, [Failure(movie_id, reason, FETCHED_AT)], batch_id="b2")
    Appender(FETCH_FAILURES, lake, "sandbox").append(rows, "b2")


def version(lake: str) -> object:
    found = open_table(FETCH_FAILURES, lake)
    assert found is not None
    return content_version(found)


@pytest.mark.parametrize(
    ("movie_id", "reason"),
    [
        pytest.param(999, "not_found", id="never-there"),
        pytest.param(18, "exhausted_retries", id="there-and-not-answered"),
    ],
)
def test_failures_that_change_nothing_in_silver_leave_it_current(lake, movie_id, reason) -> None:
    add_failure(lake, movie_id, reason)

    assert why_stale(TRANSFORM, LakeView(lake)) == []
    assert TRANSFORM.find_inputs(LakeView(lake))[FETCH_FAILURES.name] == version(lake)


def test_a_movie_of_the_lake_that_is_gone_makes_silver_stale(lake) -> None:
    before = find_publication(lake, StageName.TRANSFORM)
    assert before is not None
    add_failure(lake, 999, "not_found")
    add_failure(lake, 680, "not_found")

    gone = find_gone(lake, before.inputs[FETCH_FAILURES.name])

    assert gone is not None and gone.to_pylist() == [680]
    read = before.inputs[FETCH_FAILURES.name].version
    assert why_stale(TRANSFORM, LakeView(lake)) == [f"raw.fetch_failures has changed since version {read}"]


def test_silver_of_other_code_is_stale_whatever_was_recorded(lake) -> None:
    found = find_publication(lake, StageName.TRANSFORM)
    assert found is not None
    publish(lake, replace(found, code_version="older"))
    add_failure(lake, 999, "not_found")

    assert why_stale(TRANSFORM, LakeView(lake)) == ["its code has changed"]


def test_all_rows_count_where_there_was_no_table_before(lake) -> None:
    add_failure(lake, 24, "not_found")

    gone = find_gone(lake, None)

    assert gone is not None and gone.to_pylist() == [24]
