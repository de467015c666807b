"""Silver's rules, each on a few literal rows."""

from __future__ import annotations

from typing import Any

import pytest

from spark import silver
from spark.session import Engine
from tests.spark.lakes import Rows, rows_of


def applied(engine: Engine, rule: Any, schema: str, *rows: tuple[Any, ...]) -> Rows:
    return rows_of(engine.session.createDataFrame(list(rows), schema).transform(rule))


def test_blank_texts_become_null_and_padding_stays(sail: Engine) -> None:
    schema = ", ".join(f"{column} string" for column in silver.TEXT_COLUMNS)
    texts = ("", "  ", " \t\n", "\u00a0\u3000", " a ", None)
    assert [tuple(row.values()) for row in applied(sail, silver.null_blank_texts, schema, texts)] == [
        (None, None, None, None, " a ", None)
    ]


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


CREDITS = "cast array<struct<name:string,order:string>>, crew array<struct<name:string,job:string>>"


def test_credits_are_counted_with_unnamed_entries_and_without_nulls(sail: Engine) -> None:
    rows = applied(
        sail, silver.count_credits, CREDITS,
        ([("A", "0"), (None, None), None], [("B", "Director")]), ([], None),
    )  # fmt: skip
    assert [(row["cast_size"], row["crew_size"]) for row in rows] == [(2, 1), (0, 0)]


@pytest.mark.parametrize(
    ("crew", "director"),
    [
        pytest.param([("A", "Director"), ("B", "Writer"), ("C", "Director")], "A|C", id="two"),
        pytest.param([("A", "Director"), ("B", "Director"), ("A", "Director")], "A|B", id="listed-twice"),
        pytest.param([(" ", "Director"), (None, "Director"), ("A", "Co-Director")], None, id="none"),
        pytest.param([("A|B", "Director"), None], "A/B", id="bar-in-a-name"),
        pytest.param(None, None, id="null-crew"),
    ],
)
def test_directors_are_named_once_in_order(sail: Engine, crew: Any, director: str | None) -> None:
    assert applied(sail, silver.name_directors, CREDITS, ([], crew)) == [{"cast": [], "director": director}]


@pytest.mark.parametrize(
    ("cast", "joined"),
    [
        pytest.param([("C", "10"), ("B", "9"), ("A", "0")], "A|B|C", id="by-number-not-by-text"),
        pytest.param([("L", None), ("M", "x"), ("A", "3")], "A|L|M", id="missing-last-stable"),
        pytest.param([("Z", "0"), ("A", "0"), ("Z", "0")], "Z|A|Z", id="equal-stable-repeats-stay"),
        pytest.param([("B", "1.5"), ("A", "-1")], "A|B", id="fractions-and-negatives"),
        pytest.param([None, ("A|B", "1"), ("", "0")], "A/B", id="null-bar-blank"),
        pytest.param([], None, id="empty"),
    ],
)
def test_cast_is_joined_by_order(sail: Engine, cast: Any, joined: str | None) -> None:
    assert applied(sail, silver.name_cast, CREDITS, (cast, []))[0]["cast"] == joined


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


def test_first_reason_to_refuse_wins(sail: Engine) -> None:
    rows = applied(
        sail, silver.add_refusals,
        "movie_id long, is_malformed boolean, has_id boolean, id long, title string, misfits string",
        (1, True, False, None, None, ""),
        (1, False, False, None, None, "runtime"),
        (1, False, True, 2, None, "runtime"),
        (1, False, True, 2, "A", "runtime"),
        (1, False, True, None, "A", "id, runtime"),
        (1, False, True, 1, "A", ""),
    )  # fmt: skip
    assert [(row["reason"], row["detail"]) for row in rows] == [
        ("malformed", "payload"),
        ("missing_id", "id"),
        ("missing_title", "title"),
        ("id_mismatch", "id 2"),
        ("bad_value", "id, runtime"),
        (None, None),
    ]


def test_latest_payload_and_latest_good_one_are_kept(sail: Engine) -> None:
    rows = applied(
        sail, silver.keep_deciding, "movie_id long, fetched_at int, batch_id string, is_malformed boolean",
        (1, 1, "a", False), (1, 2, "a", False), (1, 2, "b", False),
        (2, 1, "a", False), (2, 2, "a", True), (2, 3, "a", True),
        (3, 1, "a", True),
    )  # fmt: skip
    kept = {tuple(row.values()) for row in rows}
    assert kept == {
        (1, 2, "b", False, True, True, 2),
        (2, 1, "a", False, False, True, 3),
        (2, 3, "a", True, True, False, 3),
        (3, 1, "a", True, True, False, 1),
    }


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
