"""What is learnt, from which movies, and what is told of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from movies.forecast.features import DRIVERS, build_features
from movies.forecast.silver_movies import has_money, load_movies
from movies.forecast.training import Training, train
from movies.lake import forecast_tables as tables
from tests.movies.forecast.conftest import TO_COME
from tests.movies.forecast.movies import generate, movie, silver


def test_the_model_and_both_baselines_are_scored_on_the_same_held_back_movies(
    training: Training, movies: pd.DataFrame
) -> None:
    held_back = has_money(movies) & movies["release_date"].dt.year.between(2009, 2011)
    overall = {row["model"]: row for row in training.scores if row["segment"] == "all"}

    assert list(overall) == ["forecast", "budget_times_median_roi", "genre_median"]
    assert {row["movies"] for row in overall.values()} == {int(held_back.sum())}
    assert {(row["held_back_from"], row["held_back_until"]) for row in training.scores} == {(2009, 2011)}
    assert {row["warning"] for row in training.scores} == {None}


def test_segments_are_years_and_tiers_of_budgets_and_each_adds_up_to_all(training: Training) -> None:
    counts = {row["segment"]: row["movies"] for row in training.scores if row["model"] == "forecast"}
    years = [counts[f"released in {year}"] for year in (2009, 2010, 2011)]
    tiers = [count for segment, count in counts.items() if segment.startswith("budget ")]

    assert (len(tiers), len(counts)) == (3, 7)
    assert sum(years) == sum(tiers) == counts["all"]


def test_rows_fit_the_tables(training: Training) -> None:
    for rows, table in (
        (training.scores, tables.SCORES),
        (training.predictions, tables.PREDICTIONS),
        (training.drivers, tables.DRIVERS),
    ):
        assert [set(row) ^ set(table.columns) for row in rows] == [set()] * len(rows)


def test_movies_of_unknown_revenue_are_forecast_too_and_none_of_the_years_learnt_from(
    training: Training, movies: pd.DataFrame
) -> None:
    late = movies[movies["release_date"].dt.year >= 2009]

    assert [row["id"] for row in training.predictions] == late["id"].tolist()
    unknown = {row["id"] for row in training.predictions if row["revenue_musd"] is None}
    assert unknown == set(late.loc[late["revenue_musd"].isna(), "id"]) >= {TO_COME["id"]}
    for row in training.predictions:
        assert 0 < row["low_musd"] < row["predicted_musd"] < row["high_musd"]


@pytest.mark.slow
def test_what_held_back_movies_earned_has_no_say_in_the_model(
    training: Training, movies: pd.DataFrame
) -> None:
    rows = [
        row | {"revenue_musd": row["revenue_musd"] and 1 / row["revenue_musd"]}
        if row["release_year"] >= 2009
        else row
        for row in [*generate(), TO_COME]
    ]

    again = train(load_movies(silver(rows)), holdout_years=3)

    features = build_features(movies)
    predicted = [one.model.trees.predict(features).tolist() for one in (again, training)]
    assert predicted[0] == predicted[1]
    assert again.model.interval == training.model.interval


def test_the_same_movies_in_another_order_give_the_same_to_the_last_digit(training: Training) -> None:
    again = train(load_movies(silver([TO_COME, *reversed(generate())])), holdout_years=3)

    assert again.predictions == training.predictions
    assert again.scores == training.scores
    assert again.drivers == training.drivers


def test_dates_and_money_that_cannot_be_right_stop_no_forecast_and_decide_nothing(training: Training) -> None:
    days = ("0001-01-01", "0201-05-01", "1677-09-21", "2262-04-12", "9999-12-31")
    paid: dict[str, Any] = {"budget_musd": 20.0, "revenue_musd": 60.0, "director": "Director 3"}
    odd = [movie(1001 + place, day, **paid) for place, day in enumerate(days)]
    odd += [
        movie(1100, "2005-05-05", budget_musd=1e12, revenue_musd=1e12),
        movie(1101, "2005-05-05", budget_musd=1e301, revenue_musd=1e301),
    ]

    found = train(load_movies(silver([*generate(), TO_COME, *odd])), holdout_years=3)

    assert found.scores == training.scores
    assert [row for row in found.predictions if row["id"] < 1000] == training.predictions
    late = {row["id"]: row for row in found.predictions if row["id"] > 1000}
    assert [(row["release_date"].isoformat(), row["revenue_musd"]) for row in late.values()] == [
        ("2262-04-12", None),
        ("9999-12-31", None),
    ]
    assert all(0 < row["low_musd"] < row["predicted_musd"] < row["high_musd"] for row in late.values())


def test_what_explains_revenue_comes_first_among_the_drivers(training: Training) -> None:
    assert training.drivers[0]["driver"] == "budget"
    assert {row["driver"] for row in training.drivers} == set(DRIVERS)
    assert [row["rank"] for row in training.drivers] == list(range(1, len(DRIVERS) + 1))
    drops = [row["log_r2_drop"] for row in training.drivers]
    assert drops == sorted(drops, reverse=True)
    unused = {row["driver"]: row["log_r2_drop"] for row in training.drivers}["language"]
    assert unused == 0  # all are in one language


def test_forecasts_are_right_about_as_often_as_they_say(training: Training) -> None:
    [overall] = [row for row in training.scores if (row["model"], row["segment"]) == ("forecast", "all")]
    spread = np.sqrt(0.8 * 0.2 / overall["movies"])

    assert overall["coverage"] == pytest.approx(0.8, abs=3 * spread)


@pytest.mark.slow
def test_baselines_are_medians_of_the_movies_learnt_from() -> None:
    rows = [row | {"revenue_musd": 2 * row["budget_musd"], "genres": "Drama"} for row in generate()]
    movies = load_movies(silver(rows))
    known = movies[movies["release_date"] + pd.Timedelta(days=90) <= pd.Timestamp(2009, 1, 1)]
    late = movies[movies["release_date"].dt.year >= 2009]

    told = train(movies, holdout_years=3)

    found = [(row["budget_times_median_roi_musd"], row["genre_median_musd"]) for row in told.predictions]
    median = float(10 ** np.median(np.log10(known["revenue_musd"])))
    assert found == [(pytest.approx(2 * budget), pytest.approx(median)) for budget in late["budget_musd"]]
    assert len(build_features(movies)) == len(movies)
