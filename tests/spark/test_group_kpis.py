"""Definitions of the tables that tell of groups of movies, each on a few literal movies."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from spark.engines.session import Engine
from spark.kpis import figures
from spark.kpis.actors import rank_actors
from spark.kpis.budget_tiers import summarise_tiers
from spark.kpis.decades import summarise_decades
from spark.kpis.franchises import compare_segments
from spark.kpis.genre_pairs import pair_genres
from spark.kpis.genres import summarise_genres
from spark.kpis.languages import summarise_languages
from spark.kpis.months import summarise_months
from spark.kpis.overview import summarise
from spark.kpis.pairs import rank_actor_director_pairs, rank_director_pairs
from spark.kpis.producers import rank_companies, summarise_countries
from tests.spark.queries import computed, earning, pick

COVERAGE = ("movies", "movies_with_budget", "movies_with_revenue", "movies_with_roi")


def test_a_group_is_told_by_these_figures(engine: Engine) -> None:
    english = {"original_language": "en"}
    rows = computed(
        engine,
        summarise_languages,
        earning(1.0, 4.0, **english, vote_average=6.0),
        earning(3.0, 2.0, **english),
        earning(None, 9.0, **english, vote_average=7.0),
        earning(5.0, None, **english),
        earning(2.0, 2.0, **english),
    )
    assert rows == [
        {
            "language": "en",
            "movies": 5,
            "movies_with_budget": 4,
            "movies_with_revenue": 4,
            "movies_with_roi": 3,
            "total_revenue_musd": 17.0,
            "mean_revenue_musd": 4.25,
            "median_revenue_musd": 3.0,
            "mean_budget_musd": 2.75,
            "median_budget_musd": 2.5,
            "median_roi": 1.0,
            "share_profitable": pytest.approx(1 / 3),
            "mean_rating": 6.5,
        }
    ]


def test_languages_come_by_movies_then_code(engine: Engine) -> None:
    languages = ("fr", "en", None, "de", "en")
    rows = computed(engine, summarise_languages, *({"original_language": code} for code in languages))
    assert pick(rows, "language", "movies", "total_revenue_musd", "share_profitable") == [
        ("en", 2, 0.0, None),
        ("de", 1, 0.0, None),
        ("fr", 1, 0.0, None),
    ]


def test_overview_segments_and_genres_tell_how_many_movies_have_the_figures(engine: Engine) -> None:
    movies = [
        earning(1.0, 3.0, genres="Drama", belongs_to_collection="C"),
        earning(4.0, 2.0, genres="Drama", belongs_to_collection="C"),
        earning(1.0, None, genres="Drama"),
    ]
    assert pick(computed(engine, summarise, *movies), *COVERAGE, "share_profitable") == [(3, 3, 2, 2, 0.5)]
    assert pick(computed(engine, summarise_genres, *movies), *COVERAGE, "share_profitable") == [
        (3, 3, 2, 2, 0.5)
    ]
    assert pick(computed(engine, compare_segments, *movies), "segment", *COVERAGE) == [
        ("Franchise", 2, 2, 2, 2),
        ("Standalone", 1, 1, 0, 0),
    ]


def test_decades_tell_real_money_of_the_years_that_the_price_index_covers(engine: Engine) -> None:
    rows = computed(
        engine,
        summarise_decades,
        earning(1.0, 2.0, release_year=1910),
        earning(1.0, 3.0, release_year=1919),
        earning(None, None, release_year=1920),
        earning(None, 5.0, release_year=2025),
        earning(None, 7.0, release_year=2026),
    )
    of_1919 = 321.943 / 17.3
    assert pick(rows, "decade", *COVERAGE, "total_revenue_musd", "median_roi") == [
        (1910, 2, 2, 2, 2, 5.0, 2.5),
        (1920, 1, 0, 0, 0, 0.0, None),
        (2020, 2, 0, 2, 0, 12.0, None),
    ]
    assert pick(
        rows, "real_base_year", "movies_with_real_revenue", "total_revenue_real_musd",
        "mean_revenue_real_musd", "median_revenue_real_musd", "mean_budget_real_musd",
    ) == [
        (2025, 1, *[pytest.approx(3 * of_1919)] * 3, pytest.approx(of_1919)),
        (2025, 0, None, None, None, None),
        (2025, 1, 5.0, 5.0, 5.0, None),
    ]  # fmt: skip


def test_companies_rank_by_revenue_then_name(engine: Engine) -> None:
    rows = computed(
        engine,
        rank_companies,
        {"production_companies": "B|A|B", "revenue_musd": 5.0},
        {"production_companies": "C", "revenue_musd": 7.0},
        {"production_companies": None, "revenue_musd": 9.0},
    )
    assert pick(rows, "rank", "company", "movies", "total_revenue_musd") == [
        (1, "C", 1, 7.0),
        (2, "A", 1, 5.0),
        (3, "B", 1, 5.0),
    ]


def test_long_tables_end_after_the_rows_that_are_listed(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "LISTED_ROWS", 2)
    names = [{"production_companies": name, "revenue_musd": float(n)} for n, name in enumerate("ABCD")]
    assert pick(computed(engine, rank_companies, *names), "rank", "company") == [(1, "D"), (2, "C")]


def test_countries_come_by_movies_then_name(engine: Engine) -> None:
    rows = computed(
        engine,
        summarise_countries,
        {"production_countries": "France|Germany"},
        {"production_countries": "Germany", "revenue_musd": 1.0},
        {"production_countries": "Chile"},
        {},
    )
    assert pick(rows, "country", "movies", "movies_with_revenue") == [
        ("Germany", 2, 1),
        ("Chile", 1, 0),
        ("France", 1, 0),
    ]


def test_actors_are_credited_where_they_are_top_billed(engine: Engine) -> None:
    rows = computed(
        engine,
        rank_actors,
        {"cast": "A|B|A|C|D|E", "revenue_musd": 3.0},
        {"cast": "E", "revenue_musd": 1.0},
        {"cast": None, "revenue_musd": 9.0},
    )
    assert pick(rows, "rank", "actor", "movies", "total_revenue_musd") == [
        (1, "A", 1, 3.0),
        (2, "B", 1, 3.0),
        (3, "C", 1, 3.0),
        (4, "D", 1, 3.0),
        (5, "E", 1, 1.0),
    ]


def test_months_have_medians_beside_means(engine: Engine) -> None:
    rows = computed(
        engine,
        summarise_months,
        *(
            {"release_date": dt.date(*day), "revenue_musd": revenue}
            for day, revenue in (((2000, 7, 1), 1.0), ((2001, 7, 4), 2.0), ((1999, 7, 31), 9.0))
        ),
        {"release_date": dt.date(2000, 1, 1)},
        {"revenue_musd": 1.0},
    )
    assert pick(
        rows, "month", "movies", "movies_on_first_day", "mean_revenue_musd", "median_revenue_musd"
    ) == [(1, 1, 1, None, None), (7, 3, 1, 4.0, 2.0)]


def test_tiers_hold_budgets_from_their_start_to_below_the_next(engine: Engine) -> None:
    rows = computed(
        engine,
        summarise_tiers,
        earning(0.999, 0.999),
        earning(1.0, 2.0),
        earning(9.0, 36.0),
        earning(99.0, None),
        earning(100.0, 50.0),
        earning(None, 50.0),
    )
    assert pick(
        rows, "tier", "budget_from_musd", "budget_below_musd", *COVERAGE, "roi_p25", "median_roi", "roi_p75",
        "share_profitable",
    ) == [
        (1, 0.0, 1.0, 1, 1, 1, 1, 1.0, 1.0, 1.0, 0.0),
        (2, 1.0, 10.0, 2, 2, 2, 2, 2.5, 3.0, 3.5, 1.0),
        (4, 50.0, 100.0, 1, 1, 0, 0, None, None, None, None),
        (5, 100.0, None, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.0),
    ]  # fmt: skip


def test_directors_pair_from_two_movies_on(engine: Engine) -> None:
    rows = computed(
        engine,
        rank_director_pairs,
        earning(1.0, 2.0, director="B|A", vote_average=6.0),
        earning(1.0, 4.0, director="A|C|B", vote_average=8.0),
        {"director": "A"},
    )
    assert [tuple(row.values()) for row in rows] == [(1, "A", "B", 2, 2, 2, 2, 6.0, 3.0, 3.0, 1.0, 7.0)]


def test_pairs_come_by_movies_then_revenue_then_names(engine: Engine) -> None:
    twice = [("A|B", 1.0), ("C|D", 5.0), ("E|F", 5.0)] * 2
    movies = [{"director": names, "revenue_musd": revenue} for names, revenue in [*twice, ("A|B", None)]]
    rows = computed(engine, rank_director_pairs, *movies)
    assert pick(rows, "rank", "director_a", "director_b", "movies", "total_revenue_musd") == [
        (1, "A", "B", 3, 2.0),
        (2, "C", "D", 2, 10.0),
        (3, "E", "F", 2, 10.0),
    ]


def test_only_the_first_directors_of_a_movie_pair(engine: Engine) -> None:
    collective = {"director": "|".join("ABCDEFGHIJK")}
    rows = computed(engine, rank_director_pairs, collective, collective)
    assert len(rows) == 45
    assert not any("K" in (row["director_a"], row["director_b"]) for row in rows)


def test_actors_pair_with_directors_other_than_themselves(engine: Engine) -> None:
    movie: dict[str, Any] = {"director": "A", "cast": "A|B|C|D|E|F"}
    rows = computed(engine, rank_actor_director_pairs, movie, movie, {"director": "A", "cast": "F|B"}, {})
    assert pick(rows, "rank", "actor", "director", "movies") == [
        (1, "B", "A", 3),
        (2, "C", "A", 2),
        (3, "D", "A", 2),
        (4, "E", "A", 2),
    ]


def test_lift_is_movies_of_both_genres_over_those_expected(engine: Engine) -> None:
    listed = ("Drama|War", "War|Drama", "Drama", "War", "Comedy", "Comedy|War", None)
    rows = computed(engine, pair_genres, *({"genres": genres} for genres in listed))
    assert pick(
        rows, "rank", "genre_a", "genre_b", "movies", "movies_a", "movies_b", "movies_with_genres", "lift"
    ) == [(1, "Drama", "War", 2, 3, 4, 6, pytest.approx(2 / (3 * 4 / 6)))]
