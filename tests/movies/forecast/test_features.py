"""Features say what was known before a release, and nothing that came later."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movies.forecast.features import DRIVERS, FEATURES, build_features
from movies.forecast.silver_movies import COLUMNS, load_movies
from movies.lake.tables import SILVER_MOVIES
from tests.movies.forecast.movies import Row, generate, movie, silver

AFTER_RELEASE = ("popularity", "vote_count", "vote_average", "cast_size", "crew_size", "profit_musd", "roi")
MONEY = st.one_of(st.none(), st.floats(0.001, 3_000))
NAMES = st.lists(st.sampled_from(["Ann", "Bob", "Cleo", "Dan"]), max_size=3, unique=True).map(
    lambda names: "|".join(names) or None
)
DAYS = st.dates(pd.Timestamp("1999-01-01").date(), pd.Timestamp("2003-12-31").date()).map(str)
COLLECTIONS = st.sampled_from([None, "Saga"])


@st.composite
def some_movies(draw: st.DrawFn) -> list[Row]:
    """Few people, days and collections, so that they meet."""
    days = draw(st.lists(DAYS, min_size=1, max_size=6))
    return [
        movie(
            number,
            draw(st.sampled_from(days)),
            budget_musd=draw(MONEY),
            revenue_musd=draw(MONEY),
            cast=draw(NAMES),
            director=draw(NAMES),
            belongs_to_collection=draw(COLLECTIONS),
        )
        for number in range(1, draw(st.integers(2, 12)) + 1)
    ]


def features_by_id(rows: list[Row]) -> dict[int, dict[str, float]]:
    movies = load_movies(silver(rows))
    values = build_features(movies).astype(object).where(lambda found: found.notna(), None)
    return dict(zip(movies["id"], values.to_dict("records"), strict=True))


def test_the_features_are_these_and_none_of_them_comes_after_a_release() -> None:
    assert set(AFTER_RELEASE) <= set(SILVER_MOVIES.columns)
    assert set(AFTER_RELEASE) & set(COLUMNS) == set()
    assert set(SILVER_MOVIES.columns) & set(FEATURES) == {"release_year", "runtime"}
    assert {name.split("_")[0] for name in FEATURES} == {
        *("log", "runtime", "release", "genre", "language", "collection", "director", "cast", "company")
    }
    assert [name for name in FEATURES if any(word in name for word in ("vote", "popular", "rating"))] == []


def test_every_feature_belongs_to_one_driver() -> None:
    assert sorted(name for names in DRIVERS.values() for name in names) == sorted(set(FEATURES))


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(some_movies(), st.data())
def test_what_a_later_film_earned_or_whether_it_exists_changes_no_earlier_films_features(
    rows: list[Row], data: st.DataObject
) -> None:
    chosen = data.draw(st.sampled_from(rows))
    day = chosen["release_date"]
    changed = [
        row | {"revenue_musd": data.draw(MONEY), "vote_count": data.draw(st.integers(0, 9))}
        if row["release_date"] >= day and row["id"] != chosen["id"]
        else row
        for row in rows
    ]
    only_earlier = [row for row in rows if row["release_date"] < day]

    expected = features_by_id(rows)[chosen["id"]]

    assert features_by_id(changed)[chosen["id"]] == expected
    assert features_by_id([*only_earlier, chosen])[chosen["id"]] == expected


@settings(max_examples=10, deadline=None)
@given(some_movies(), st.randoms(use_true_random=False))
def test_features_do_not_depend_on_the_order_of_rows(rows: list[Row], random: Any) -> None:
    shuffled = random.sample(rows, len(rows))

    assert features_by_id(shuffled) == features_by_id(rows)


@settings(max_examples=10, deadline=None)
@given(some_movies(), MONEY)
def test_what_a_movie_earned_is_in_none_of_its_own_features(rows: list[Row], revenue: float | None) -> None:
    changed = [rows[0] | {"revenue_musd": revenue}, *rows[1:]]

    assert features_by_id(changed)[1] == features_by_id(rows)[1]


def test_movies_of_one_day_and_of_the_quarter_before_are_not_seen() -> None:
    rows = [
        movie(1, "2000-01-01", director="Ann", revenue_musd=100.0),
        movie(2, "2000-03-30", director="Ann", revenue_musd=10.0),
        movie(3, "2000-03-31", director="Ann", revenue_musd=1.0),
        movie(4, "2000-03-31", director="Ann", revenue_musd=1000.0),
    ]

    found = {number: row["director_films"] for number, row in features_by_id(rows).items()}

    # 89 days after the first, then 90.
    assert found == {1: 0, 2: 0, 3: 1, 4: 1}


def test_histories_count_the_films_of_each_name_that_the_movie_shares() -> None:
    rows = [
        movie(1, "1999-01-01", cast="Ann|Bob", revenue_musd=100.0),
        movie(2, "2000-01-01", cast="Bob|Ann|Bob", revenue_musd=10.0),
        movie(3, "2001-01-01", cast="Ann", revenue_musd=None),
        movie(4, "2002-01-01", cast="C|D|E|F|Bob|Ann", revenue_musd=5.0),
        movie(5, "2003-01-01", cast="G", revenue_musd=5.0),
    ]

    found = {
        number: tuple(row[f"cast_{name}"] for name in ("films", "mean_log_revenue", "best_log_revenue"))
        for number, row in features_by_id(rows).items()
    }

    assert found == {
        1: (0, None, None),
        2: (2, 2, 2),
        3: (2, 1.5, 2),
        4: (2, 1.5, 2),  # the sixth name is not on the poster
        5: (0, None, None),
    }


def test_a_first_part_looks_like_any_movie_whatever_followed() -> None:
    first = movie(1, "2000-01-01", belongs_to_collection="Saga", revenue_musd=5.0)
    alone = first | {"belongs_to_collection": None}
    second = movie(2, "2002-01-01", belongs_to_collection="Saga")

    assert features_by_id([first, second])[1] == features_by_id([alone])[1]
    assert features_by_id([first, second])[2]["collection_films"] == 1


def test_popularity_votes_and_ratings_have_no_say() -> None:
    rows = generate(60)
    turned = [
        row | {name: other[name] for name in AFTER_RELEASE}
        for row, other in zip(rows, rows[::-1], strict=True)
    ]

    assert turned != rows
    assert features_by_id(turned) == features_by_id(rows)


@pytest.mark.parametrize("amount", [None, 0.0000005, 0.0009])
def test_amounts_that_cannot_be_right_are_unknown(amount: float | None) -> None:
    [row] = load_movies(silver([movie(1, "2000-01-01", budget_musd=amount, revenue_musd=amount)])).to_dict(
        "records"
    )

    assert math.isnan(row["budget_musd"])
    assert math.isnan(row["revenue_musd"])
