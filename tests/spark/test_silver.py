"""Silver's rules, each on a few literal rows."""

from __future__ import annotations

from typing import Any

from spark import silver
from spark.engines.session import Engine
from tests.spark.lakes import Rows, rows_of


def applied(engine: Engine, rule: Any, schema: str, *rows: tuple[Any, ...]) -> Rows:
    return rows_of(engine.session.createDataFrame(list(rows), schema).transform(rule))


def test_zero_amounts_become_null_and_negative_ones_stay(sail: Engine) -> None:
    rows = applied(
        sail,
        silver.null_zero_amounts,
        "budget double, revenue double, runtime int",
        (0.0, -0.0, 0),
        (1.0, -5.0, 90),
        (None, None, None),
    )
    assert [tuple(row.values()) for row in rows] == [(None, None, None), (1.0, -5.0, 90), (None, None, None)]


def test_average_of_no_votes_is_null(sail: Engine) -> None:
    rows = applied(
        sail,
        silver.null_unvoted_averages,
        "vote_count long, vote_average double",
        (0, 7.0),
        (None, 7.0),
        (1, 0.0),
    )
    assert [row["vote_average"] for row in rows] == [None, None, 0.0]


def test_money_is_in_millions_and_null_where_a_side_is(sail: Engine) -> None:
    rows = applied(
        sail, silver.add_money, "budget double, revenue double",
        (10_000_000.0, 25_000_000.0), (None, 1_000_000.0), (4_000_000.0, None),
    )  # fmt: skip
    wanted = ("budget_musd", "revenue_musd", "profit_musd", "roi")
    assert [tuple(row[column] for column in wanted) for row in rows] == [
        (10.0, 25.0, 15.0, 2.5),
        (None, 1.0, None, None),
        (4.0, None, None, None),
    ]


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
