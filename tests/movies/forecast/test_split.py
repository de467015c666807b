"""What is learnt from is earlier than what is judged on, or nothing is learnt."""

from __future__ import annotations

import pandas as pd
import pytest

from movies.forecast.forecast_errors import ShortageError
from movies.forecast.silver_movies import has_money, load_movies
from movies.forecast.split import Split, describe_shortage, learnable, split_by_year
from tests.movies.forecast.movies import generate, movie, silver


def test_the_last_years_are_held_back_and_the_last_before_calibrate() -> None:
    movies = load_movies(silver(generate()))

    assert split_by_year(movies, 3) == Split((2006, 2007, 2008), 2009, 2011)
    assert split_by_year(movies, 1) == Split((2007, 2008, 2009, 2010), 2011, 2011)


def test_nothing_is_learnt_from_a_movie_that_earns_still_when_the_year_begins() -> None:
    rows = [
        movie(1, "2008-10-03", budget_musd=1.0, revenue_musd=1.0),
        movie(2, "2008-10-04", budget_musd=1.0, revenue_musd=1.0),
        movie(3, "2009-01-01", budget_musd=1.0, revenue_musd=1.0),
        movie(4, "2000-01-01", budget_musd=1.0),
    ]
    movies = load_movies(silver(rows))

    assert movies.loc[learnable(movies, 2009), "id"].tolist() == [1]


def test_years_without_known_money_are_not_held_back() -> None:
    movies = load_movies(silver([*generate(), movie(999, "2030-01-01", budget_musd=5.0)]))

    assert split_by_year(movies, 3).held_back_until == 2011


NEED = "A forecast learns from at least 200 movies with a known budget and revenue"


@pytest.mark.parametrize(
    ("count", "have"),
    [
        (0, "0 movies have both"),
        (1, "1 movie has both, 0 of them from before the held-back years, which begin with 1998"),
        (240, "209 movies have both, 154 of them from before the held-back years, which begin with 2009"),
    ],
)
def test_too_few_movies_are_refused_with_their_number(count: int, have: str) -> None:
    movies = load_movies(silver(generate(count)))

    with pytest.raises(ShortageError) as refused:
        split_by_year(movies, 3)

    assert str(refused.value) == f"{NEED}: here {have}"


def test_the_shortage_names_both_numbers_only_where_they_differ() -> None:
    assert describe_shortage(1_150, 150, 2009) == (
        f"{NEED}: here 1,150 movies have both, 150 "
        "of them from before the held-back years, which begin with 2009"
    )
    assert describe_shortage(150, 150, 2009) == f"{NEED}: here 150 movies have both"


def test_movies_of_one_year_alone_are_refused() -> None:
    early = generate(300, first_year=2000, years=1)
    late = [movie(1000, "2005-05-05", budget_musd=1.0, revenue_musd=1.0)]
    movies = load_movies(silver([*early, *late]))

    with pytest.raises(ShortageError, match=r"^Of the \d+ movies to learn from nearly all are of 2000: "):
        split_by_year(movies, 3)
    assert has_money(movies).sum() > 200


def test_all_that_is_learnt_from_is_earlier_than_all_that_is_held_back() -> None:
    movies = load_movies(silver(generate()))
    for years in (1, 2, 3):
        split = split_by_year(movies, years)
        for year in (*split.calibration_years, split.held_back_from):
            known = movies.loc[learnable(movies, year), "release_date"]
            assert known.max() < pd.Timestamp(year, 1, 1)
