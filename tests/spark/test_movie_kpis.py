"""Definitions of the tables that tell of single movies, each on a few literal movies."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from movies.lake import gold_tables
from movies.lake.gold_tables import REAL_BASE_YEAR
from spark.engines.session import Engine
from spark.kpis.correlations import MEASURES, correlate
from spark.kpis.outliers import find_outliers
from spark.kpis.price_index import ANNUAL_AVERAGES, FIRST_YEAR
from spark.kpis.prior_power import measure_prior_power
from spark.kpis.real_money import rank_real_revenues
from spark.kpis.sequels import rank_sequels
from spark.kpis.suspicious_money import SUSPICIONS, flag_money
from spark.kpis.weighted_ratings import rank_weighted_ratings
from tests.spark.queries import computed, earning, pick


def released(year: int, month: int = 1, day: int = 2) -> dt.date:
    return dt.date(year, month, day)


def test_sequels_stand_beside_the_movie_before(engine: Engine) -> None:
    rows = computed(
        engine,
        rank_sequels,
        earning(2.0, 8.0, id=7, title="Two", release_date=released(2002), vote_average=6.0),
        *(
            movie | {"belongs_to_collection": "C"}
            for movie in (
                earning(2.0, 8.0, id=3, title="Two", release_date=released(2002), vote_average=6.0),
                earning(1.0, 2.0, id=9, title="One", release_date=released(2000), vote_average=7.5),
                earning(None, 9.0, id=4, title="Three", release_date=released(2002)),
                earning(1.0, 99.0, id=5, title="Undated"),
            )
        ),
        {"id": 6, "belongs_to_collection": "D", "release_date": released(2000)},
    )
    assert [tuple(row.values()) for row in rows] == [
        (
            1, "C", 3, 4, "Three", released(2002), 3, "Two", released(2002), None, 2.0, 9.0, 8.0, None, 6.0,
            None, 1.125, None,
        ),
        (
            2, "C", 2, 3, "Two", released(2002), 9, "One", released(2000), 2.0, 1.0, 8.0, 2.0, 6.0, 7.5,
            2.0, 4.0, -1.5,
        ),
    ]  # fmt: skip


def test_correlations_are_over_the_movies_that_have_both_measures(engine: Engine) -> None:
    rows = computed(
        engine,
        correlate,
        {"budget_musd": 1.0, "revenue_musd": 2.0, "runtime": 90, "vote_count": 5},
        {"budget_musd": 2.0, "revenue_musd": 4.0, "runtime": 80, "vote_count": 5},
        {"budget_musd": 3.0, "revenue_musd": 6.0, "runtime": None, "vote_count": 5},
        {"budget_musd": 4.0, "popularity": 1.0},
    )
    assert pick(rows, "measure_a", "measure_b", "movies", "pearson") == [
        ("budget_musd", "revenue_musd", 3, pytest.approx(1.0)),
        ("budget_musd", "vote_count", 3, None),
        ("budget_musd", "runtime", 2, pytest.approx(-1.0)),
        ("revenue_musd", "vote_count", 3, None),
        ("revenue_musd", "runtime", 2, pytest.approx(-1.0)),
        ("vote_count", "runtime", 2, None),
    ]


def test_every_two_measures_are_correlated_once(engine: Engine) -> None:
    movies = [{measure: n + nth for nth, measure in enumerate(MEASURES)} for n in (1, 2)]
    movies = [
        {name: value if name in ("vote_count", "runtime") else float(value) for name, value in movie.items()}
        for movie in movies
    ]
    rows = computed(engine, correlate, *movies)
    assert pick(rows, "measure_a", "measure_b") == [
        (one, other) for nth, one in enumerate(MEASURES) for other in MEASURES[nth + 1 :]
    ]


def test_outliers_lie_outside_of_fences_on_a_logarithmic_scale(engine: Engine) -> None:
    # Quartiles 10 and 100: the fences are 1.5 powers of ten outside of them.
    revenues = (10.0, 10.0, 40.0, 100.0, 100.0, 100.0, 5000.0, 0.05, 0.3)
    rows = computed(
        engine,
        find_outliers,
        *({"id": n, "title": str(n), "revenue_musd": revenue} for n, revenue in enumerate(revenues)),
        {"id": 99},
    )
    low, high = 10**-0.5, 10**3.5
    assert pick(
        rows,
        "measure",
        "side",
        "rank",
        "title",
        "value",
        "times_beyond_fence",
        "revenue_musd",
        "movies_outside",
    ) == [
        ("revenue_musd", "high", 1, "6", 5000.0, pytest.approx(5000 / high), 5000.0, 1),
        ("revenue_musd", "low", 1, "7", 0.05, pytest.approx(low / 0.05), 0.05, 2),
        ("revenue_musd", "low", 2, "8", 0.3, pytest.approx(low / 0.3), 0.3, 2),
    ]
    assert (
        pick(rows, "low_fence", "high_fence", "movies_measured")
        == [(pytest.approx(low), pytest.approx(high), 9)] * 3
    )


def test_outliers_beyond_those_listed_are_counted(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gold_tables, "LISTED_ROWS", 1)
    rows = computed(engine, find_outliers, *({"roi": roi} for roi in (1.0,) * 9 + (5.0, 5.0)))
    assert pick(rows, "measure", "side", "id", "movies_measured", "movies_outside") == [
        ("roi", "high", 10, 11, 2)
    ]


def test_equal_revenues_have_no_outliers(engine: Engine) -> None:
    assert computed(engine, find_outliers, *({"revenue_musd": 1.1} for _ in range(3))) == []


def test_weighted_ratings_lean_to_the_mean_where_votes_are_few(engine: Engine) -> None:
    rows = computed(
        engine,
        rank_weighted_ratings,
        {"id": 1, "title": "Few", "vote_average": 9.0, "vote_count": 10},
        {"id": 2, "title": "Many", "vote_average": 8.0, "vote_count": 110},
        {"id": 3, "title": "None", "vote_count": 0},
        {"id": 4, "title": "Unrated", "vote_count": 500},
    )
    # 0.9 of the way from 10 to 110 votes, and the mean of 9 and 8.
    m, c = 100, 8.5
    assert [tuple(row.values()) for row in rows] == [
        (1, 1, "Few", None, pytest.approx((10 * 9 + m * c) / 110), 9.0, 10, m, c),
        (2, 2, "Many", None, pytest.approx((110 * 8 + m * c) / 210), 8.0, 110, m, c),
    ]


def test_real_revenues_rank_across_years(engine: Engine) -> None:
    rows = computed(
        engine,
        rank_real_revenues,
        {"title": "New", "release_year": 2025, "revenue_musd": 1000.0},
        {"title": "Old", "release_year": 1939, "revenue_musd": 100.0},
        {"title": "Older than the index", "release_year": 1912, "revenue_musd": 9999.0},
        {"title": "Unknown", "release_year": 2000},
    )
    assert [tuple(row.values()) for row in rows] == [
        (1, 2, "Old", 1939, 100.0, pytest.approx(100 * 321.943 / 13.9), 2025, 3, 2),
        (2, 1, "New", 2025, 1000.0, 1000.0, 2025, 3, 2),
    ]


def test_the_price_index_covers_every_year_from_1913_to_its_base_year() -> None:
    assert FIRST_YEAR + len(ANNUAL_AVERAGES) - 1 == REAL_BASE_YEAR == 2025
    # Its definition: the mean of 1982 to 1984 is 100.
    around_1983 = ANNUAL_AVERAGES[1982 - FIRST_YEAR : 1985 - FIRST_YEAR]
    assert sum(around_1983) / 3 == pytest.approx(100, abs=0.05)


def test_prior_power_knows_only_films_released_before(engine: Engine) -> None:
    films = {
        1: (1999, 10.0, "D", "A|B"),
        2: (2000, 20.0, "D|E", "A|X"),
        3: (2000, 40.0, "E", "B"),
        4: (2001, None, "D", "A"),
        5: (2001, 90.0, "D", "A|B|C"),
    }
    rows = computed(
        engine,
        measure_prior_power,
        *(
            {"id": n, "title": str(n), "release_date": released(year), "revenue_musd": revenue,
             "director": directors, "cast": cast}
            for n, (year, revenue, directors, cast) in films.items()
        ),
        {"id": 6, "revenue_musd": 1.0, "director": "D"},
    )  # fmt: skip
    nothing = (0, None, None)
    assert [tuple(row.values()) for row in rows] == [
        (1, "1", released(1999), 10.0, *nothing, *nothing),
        (2, "2", released(2000), 20.0, 1, 10.0, 10.0, 1, 10.0, 10.0),
        (3, "3", released(2000), 40.0, *nothing, 1, 10.0, 10.0),
        (5, "5", released(2001), 90.0, 2, 15.0, 15.0, 3, pytest.approx(70 / 3), 20.0),
    ]


def test_prior_power_is_told_of_a_sample_and_measured_on_all(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gold_tables, "PRIOR_POWER_ROWS", 1)
    # The smallest of md5("1") … md5("6") belongs to 6.
    movies = [
        {"release_date": released(2000 + n), "revenue_musd": float(n), "director": "D"} for n in range(1, 7)
    ]
    rows = computed(engine, measure_prior_power, *movies)
    assert pick(rows, "id", "directors_prior_movies", "directors_prior_mean_revenue_musd") == [(6, 5, 3.0)]


def test_suspicious_money_is_flagged_for_each_reason(engine: Engine) -> None:
    movies: list[dict[str, Any]] = [
        earning(0.0008, 2.5, title="A", vote_count=5),
        earning(0.000999, None, title="B", vote_count=50),
        earning(0.001, 0.001, title="C"),
        earning(3.0, 0.0005, title="D"),
        earning(1500.0, 5001.0, title="E"),
        earning(10.0, 25.0, title="Fine"),
    ]
    rows = computed(engine, flag_money, *movies)
    assert pick(
        rows, "reason", "rank", "title", "budget_usd", "revenue_usd", "vote_count", "movies_with_reason"
    ) == [
        ("budget_under_1000_usd", 1, "B", 999, None, 50, 2),
        ("budget_under_1000_usd", 2, "A", 800, 2_500_000, 5, 2),
        ("revenue_under_1000_usd", 1, "D", 3_000_000, 500, None, 1),
        ("budget_over_1000_musd", 1, "E", 1_500_000_000, 5_001_000_000, None, 1),
        ("revenue_over_5000_musd", 1, "E", 1_500_000_000, 5_001_000_000, None, 1),
        ("revenue_over_1000_budgets", 1, "A", 800, 2_500_000, 5, 1),
        ("budget_over_1000_revenues", 1, "D", 3_000_000, 500, None, 1),
        ("revenue_equals_budget", 1, "C", 1000, 1000, None, 1),
    ]
    assert len({suspicion.reason for suspicion in SUSPICIONS}) == 7
