"""Silver's rule about movies that are gone, on a few literal rows."""

from __future__ import annotations

from spark import silver
from spark.engines.session import Engine
from tests.spark.lakes import rows_of


def test_movies_are_set_aside_where_the_last_answer_was_that_there_are_none(sail: Engine) -> None:
    failures = sail.session.createDataFrame(
        [(1, "not_found", 1), (1, "not_found", 3), (2, "not_found", 2), (3, "exhausted_retries", 3)],
        "movie_id long, reason string, failed_at int",
    )
    judged = sail.session.createDataFrame(
        [
            (1, 2, "malformed", None),
            (2, 2, "bad_value", None),
            (3, 2, None, "not_released"),
            (4, 2, None, None),
        ],
        "movie_id long, latest_at int, reason string, filtered string",
    )

    rows = rows_of(silver.set_deleted_aside(judged, failures))

    assert {row["movie_id"]: (row["reason"], row["filtered"]) for row in rows} == {
        1: (None, "deleted"),
        2: ("bad_value", None),
        3: (None, "not_released"),
        4: (None, None),
    }
