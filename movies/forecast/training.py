"""Train the model on earlier years, and score it on those held back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from movies.forecast.drivers import measure_drivers
from movies.forecast.features import build_features
from movies.forecast.interval import Interval, calibrate, tiers
from movies.forecast.model import Model
from movies.forecast.recipes import BUDGET, GENRE, MODEL, RECIPES, Fit, Predict, log_revenue, predict_by
from movies.forecast.scores import describe_leak, score
from movies.forecast.silver_movies import has_money
from movies.forecast.split import Split, learnable, split_by_year
from movies.forecast.trees import Floats, grow_trees

Row = dict[str, Any]
ALL = "all"
DATE = "release_date"


@dataclass(frozen=True)
class Training:
    """The model, and the rows of its three tables."""

    model: Model
    scores: list[Row]
    predictions: list[Row]
    drivers: list[Row]

    @property
    def warning(self) -> str | None:
        """Why the scores should not be believed; None if they may be."""
        warning: str | None = self.scores[0]["warning"]
        return warning


@dataclass(frozen=True)
class Forecaster:
    """A way to forecast with its interval, both from before the held-back years."""

    predict: Predict
    interval: Interval

    def forecast(self, movies: pd.DataFrame, features: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
        """Return forecasts and their lower and upper ends, in log10."""
        predicted = self.predict(movies, features)
        return predicted, *self.interval.ends(predicted, budgets_of(movies))


def train(movies: pd.DataFrame, holdout_years: int) -> Training:
    """Train the model, forecast held-back movies and those without revenue, and score it with the baselines.

    Raises:
        ShortageError: there are too few movies to train on.
    """
    split = split_by_year(movies, holdout_years)
    features = build_features(movies)
    known = learnable(movies, split.held_back_from)
    trees = grow_trees(features[known], log_revenue(movies[known]))
    fitted: Mapping[str, Predict] = {
        MODEL: predict_by(trees),
        **{name: RECIPES[name](movies[known], features[known]) for name in (BUDGET, GENRE)},
    }
    forecasters = {
        name: Forecaster(predict, calibrate(*late_errors(RECIPES[name], movies, features, split)))
        for name, predict in fitted.items()
    }
    held_back = has_money(movies) & (movies[DATE].dt.year >= split.held_back_from)
    scores = list(_score_all(forecasters, movies, features, known, held_back, split))
    warning = describe_leak(scores[0]["log_r2"])
    drivers = measure_drivers(trees, features[held_back], log_revenue(movies[held_back]))
    return Training(
        Model(trees, forecasters[MODEL].interval, split.held_back_from, int(known.sum())),
        [row | {"warning": warning} for row in scores],
        _predict_all(forecasters, movies, features, split),
        [asdict(driver) for driver in drivers],
    )


def late_errors(
    fit: Fit, movies: pd.DataFrame, features: pd.DataFrame, split: Split
) -> tuple[Floats, Floats]:
    """Return errors on each calibration year, after training on the years before it, and the budgets."""
    errors: list[Floats] = []
    budgets: list[Floats] = []
    for year in split.calibration_years:
        known = learnable(movies, year)
        to_come = has_money(movies) & (movies[DATE].dt.year == year)
        predict = fit(movies[known], features[known])
        errors.append(log_revenue(movies[to_come]) - predict(movies[to_come], features[to_come]))
        budgets.append(budgets_of(movies[to_come]))
    return np.concatenate(errors), np.concatenate(budgets)


def budgets_of(movies: pd.DataFrame) -> Floats:
    """Return the budgets in MUSD."""
    budgets: Floats = movies["budget_musd"].to_numpy(dtype=np.float64)
    return budgets


def segments(
    movies: pd.DataFrame, held_back: pd.Series, interval: Interval
) -> Iterator[tuple[str, pd.Series]]:
    """Yield all held-back movies, those of each year, and those of each tier of budgets."""
    yield ALL, held_back
    for year in sorted(movies.loc[held_back, DATE].dt.year.unique()):
        yield f"released in {year}", held_back & (movies[DATE].dt.year == year)
    tier = tiers(budgets_of(movies), interval.edges)
    for place, (low, high) in enumerate(pairwise((None, *interval.edges, None))):
        if low is not None or high is not None:
            yield f"budget {_between(low, high)}", held_back & (tier == place)


def _between(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return f"under ${high:.3g}M" if low is None else f"of ${low:.3g}M and more"
    return f"of ${low:.3g}M to ${high:.3g}M"


def _score_all(
    forecasters: Mapping[str, Forecaster],
    movies: pd.DataFrame,
    features: pd.DataFrame,
    known: pd.Series,
    held_back: pd.Series,
    split: Split,
) -> Iterator[Row]:
    for segment, chosen in segments(movies, held_back, forecasters[MODEL].interval):
        if not chosen.any():
            continue
        actual = log_revenue(movies[chosen])
        for name, one in forecasters.items():
            figures = asdict(score(actual, *one.forecast(movies[chosen], features[chosen])))
            yield {
                "model": name,
                "segment": segment,
                "interval_level": one.interval.level,
                "movies_learnt_from": int(known.sum()),
                "movies_calibrated_on": sum(one.interval.errors),
                "held_back_from": split.held_back_from,
                "held_back_until": split.held_back_until,
                **figures,
            }


def _predict_all(
    forecasters: Mapping[str, Forecaster], movies: pd.DataFrame, features: pd.DataFrame, split: Split
) -> list[Row]:
    """Forecast all movies that the model may forecast, with or without a known revenue."""
    chosen = movies["budget_musd"].notna() & (movies[DATE].dt.year >= split.held_back_from)
    late = movies[chosen]
    ends = forecasters[MODEL].forecast(late, features[chosen])
    columns = {
        "id": late["id"].tolist(),
        "title": late["title"].tolist(),
        DATE: late[DATE].dt.date.tolist(),
        "budget_musd": late["budget_musd"].tolist(),
        **{
            name: (10**logs).tolist()
            for name, logs in zip(("predicted_musd", "low_musd", "high_musd"), ends, strict=True)
        },
        "interval_level": [forecasters[MODEL].interval.level] * len(late),
        "revenue_musd": [None if np.isnan(amount) else amount for amount in late["revenue_musd"]],
        **{
            f"{name}_musd": (10 ** forecasters[name].predict(late, features[chosen])).tolist()
            for name in (BUDGET, GENRE)
        },
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
