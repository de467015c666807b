"""Titles that say what is seen, and are true of any data."""

from __future__ import annotations

import numpy as np
import pytest

from movies.report.gold import Gold
from movies.report.plots import PLOTS, describe
from movies.report.plots.popularity_vs_rating import rank_correlation
from tests.movies.report.gold_tables import gold_from_silver, movie


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("revenue_vs_budget", "Avatar earned most: $2.9B on a budget of $237M"),
        ("roi_by_genre", "Fantasy movies returned most: a median of 9.69x their budget"),
        ("popularity_vs_rating", "Better rated movies tend to be more popular (rank correlation 0.75)"),
        ("yearly_trends", "2015 and 2018 have most movies (4 each); 2015 earned most ($6.7B)"),
        ("franchise_vs_standalone", "Franchise movies earned $1.7B on average, standalone movies $1.8B"),
        ("rating_distribution", "The middle half of the movies is rated 7.1 to 7.8"),
        ("top_directors", "Movies by James Cameron earned most: $5.2B"),
        (
            "genre_performance",
            "Science Fiction movies earn most ($1.8B on average); Fantasy movies are rated best (7.43)",
        ),
    ],
)
def test_titles_of_the_default_movies(name: str, title: str, gold_18: Gold) -> None:
    assert PLOTS[name].title(gold_18) == title


def test_alt_text_is_title_reading_and_figures(gold_18: Gold) -> None:
    assert describe("revenue_vs_budget", gold_18) == (
        "Avatar earned most: $2.9B on a budget of $237M. 18 of 18 movies with both figures known earned more"
        " than the budget. Larger points have more votes. Median budget $200M, median revenue $1.5B (n = 18)."
        " Named: Avatar ($2.9B on $237M), Avengers: Endgame ($2.8B on $356M), Titanic ($2.3B on $200M),"
        " Star Wars: The Last Jedi ($1.3B on $300M), Incredibles 2 ($1.2B on $200M),"
        " The Avengers ($1.5B on $220M), Avengers: Infinity War ($2.1B on $300M)."
    )


def title(name: str, *movies: dict[str, object]) -> str:
    return PLOTS[name].title(gold_from_silver(list(movies)))


def test_a_budget_that_is_unknown_is_not_named() -> None:
    rich = movie(1, revenue_musd=900.0, budget_musd=None)
    assert title("revenue_vs_budget", rich, movie(2)) == "Movie 1 earned most: $900M"


def test_genres_of_few_movies_are_not_compared() -> None:
    few = [movie(number, genres="Horror", revenue_musd=900.0) for number in range(4)]
    many = [movie(number, genres="Drama") for number in range(4, 10)]
    assert title("roi_by_genre", *few, *many) == "Drama movies returned most: a median of 2.00x their budget"
    assert title("roi_by_genre", *few) == "What 4 movies returned on the budget, by genre"
    assert title("genre_performance", *few, *many) == (
        "Drama movies earn most ($20M on average) and are rated best (6.00)"
    )
    assert title("genre_performance", *few) == "How genres compare in revenue, rating and popularity"


def test_genres_that_are_equal_are_named_together() -> None:
    movies = [movie(number, genres="Drama|War") for number in range(5)]
    assert title("roi_by_genre", *movies) == (
        "Drama and War movies returned most: a median of 2.00x their budget"
    )


def test_directors_that_are_equal_are_named_together() -> None:
    assert title("top_directors", movie(1, director="Ann Field|Bo Li")) == (
        "Movies by Ann Field and Bo Li earned most: $20M each"
    )


@pytest.mark.parametrize(
    ("years", "expected"),
    [
        pytest.param([2001], "1 movie, released in 2001", id="one-year"),
        pytest.param([2001, 2001, 2002], "2001 has most movies (2); 2001 earned most ($40M)", id="one"),
        pytest.param([2001, 2002], "No year has more than 1 movie; 2001 earned most ($20M)", id="one-each"),
        pytest.param(
            [2001, 2002, 2003] * 2, "No year has more than 2 movies; 2001 earned most ($40M)", id="three"
        ),
    ],
)
def test_years_that_are_equal_are_not_set_apart(years: list[int], expected: str) -> None:
    movies = [movie(number, release_year=year) for number, year in enumerate(years)]
    assert title("yearly_trends", *movies) == expected


def test_segments_without_movies_are_not_compared() -> None:
    alone = [movie(1), movie(2)]
    in_one = [movie(number, belongs_to_collection="C Collection", revenue_musd=None) for number in (3, 4)]
    name = "franchise_vs_standalone"
    assert title(name, *alone) == "No movie belongs to a collection: all stand alone"
    assert title(name, *in_one) == "Every movie belongs to a collection: none stands alone"
    assert title(name, *alone, *in_one) == "Movies of a collection beside those that stand alone"


@pytest.mark.parametrize(
    ("ratings", "expected"),
    [
        pytest.param(
            [1, 2, 3, 4], "Better rated movies tend to be more popular (rank correlation 1.00)", id="more"
        ),
        pytest.param(
            [4, 3, 2, 1], "Better rated movies tend to be less popular (rank correlation -1.00)", id="less"
        ),
        pytest.param(
            [2, 4, 1, 3], "Rating says little about popularity (rank correlation 0.00)", id="little"
        ),
        pytest.param([5, 5, 5, 5], "Popularity and rating of 4 movies", id="all-alike"),
    ],
)
def test_correlation_is_put_into_words(ratings: list[float], expected: str) -> None:
    movies = [
        movie(number, vote_average=float(rating), popularity=1.0 + number)
        for number, rating in enumerate(ratings)
    ]
    assert title("popularity_vs_rating", *movies) == expected


def test_rank_correlation_shares_places_among_equals() -> None:
    first, second = np.array([1.0, 2.0, 2.0, 4.0]), np.array([10.0, 20.0, 30.0, 40.0])
    assert rank_correlation(first, second) == pytest.approx(0.9486832980505138)


def test_ratings_of_few_movies_have_no_quartiles() -> None:
    name = "rating_distribution"
    assert title(name, movie(1, vote_average=7.06)) == "The one rated movie has 7.1 out of 10"
    assert title(name, movie(1), movie(2, vote_average=8.0)) == "2 movies are rated 6.0 to 8.0"


def test_what_stands_beside_a_figure_is_how_many_movies_have_it() -> None:
    gold = gold_from_silver(
        [
            movie(1, belongs_to_collection="C Collection", revenue_musd=50.0),
            movie(2, belongs_to_collection="C Collection", budget_musd=None, revenue_musd=None),
            movie(3, vote_average=None, vote_count=0),
        ]
    )
    told = {name: PLOTS[name].figures(gold) for name in PLOTS}
    assert told["franchise_vs_standalone"] == (
        "Franchise, 2 movies: mean revenue $50M (n = 1), median revenue $50M (n = 1), mean budget $10M"
        " (n = 1), median budget $10M (n = 1), median ROI 5.00x (n = 1), mean rating 6.00 (n = 2)."
        " Standalone, 1 movie: mean revenue $20M (n = 1), median revenue $20M (n = 1), mean budget $10M"
        " (n = 1), median budget $10M (n = 1), median ROI 2.00x (n = 1), mean rating – (n = 0)."  # noqa: RUF001
    )
    assert told["top_directors"] == "In order: Ann Field $70M (n = 2 of 3, rated 6.00)."
    assert told["genre_performance"] == (
        "Mean revenue, rating and popularity:"
        " Drama $35M (median $35M, n = 2), rated 6.00, popularity 5.00 (3 movies)."
    )
    assert told["yearly_trends"] == (
        "Revenue of the last years: 2000: 3 movies, $70M in total, median $35M, mean $35M (n = 2)."
    )


def test_the_franchises_that_earned_most_are_named(gold_18: Gold) -> None:
    assert PLOTS["franchise_vs_standalone"].note(gold_18) == (
        "A franchise movie is one of a collection. ROI is revenue / budget. n: movies whose figure is known."
        " Highest total revenue: The Avengers Collection ($7.8B, 4 movies), Star Wars Collection ($3.4B,"
        " 2 movies), Jurassic Park Collection ($3.0B, 2 movies)."
    )


def test_long_lists_of_genres_are_told_from_the_first() -> None:
    movies = [movie(number, genres=f"Genre {number}", revenue_musd=100.0 - number) for number in range(9)]
    assert describe("genre_performance", gold_from_silver(movies)).endswith(" (1 movie); and 3 others.")
