"""Ways to forecast: the model, and two plain guesses as baselines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from movies.forecast.histories import list_names
from movies.forecast.trees import Floats, Trees, grow_trees

# From movies and their features to log10 of their revenues in MUSD.
Predict = Callable[[pd.DataFrame, pd.DataFrame], Floats]
Fit = Callable[[pd.DataFrame, pd.DataFrame], Predict]

MODEL, BUDGET, GENRE = "forecast", "budget_times_median_roi", "genre_median"


def log_revenue(movies: pd.DataFrame) -> Floats:
    """Return the target of the forecast: log10 of the revenue in MUSD."""
    logs: Floats = np.log10(movies["revenue_musd"].to_numpy(dtype=np.float64))
    return logs


def fit_trees(movies: pd.DataFrame, features: pd.DataFrame) -> Predict:
    """Fit boosted trees to all features."""
    return predict_by(grow_trees(features, log_revenue(movies)))


def predict_by(trees: Trees) -> Predict:
    """Return the forecast by given trees."""
    return lambda movies, features: trees.predict(features)


def fit_budget(movies: pd.DataFrame, features: pd.DataFrame) -> Predict:
    """Fit the guess: budget times the median return on investment."""
    median_roi = float(np.median(log_revenue(movies) - np.log10(movies["budget_musd"].to_numpy())))
    return lambda movies, features: np.log10(movies["budget_musd"].to_numpy(dtype=np.float64)) + median_roi


def fit_genre(movies: pd.DataFrame, features: pd.DataFrame) -> Predict:
    """Fit the guess: geometric mean of the genres' median revenues; if none is known, that of all movies."""
    overall = float(np.median(log_revenue(movies)))
    by_movie = pd.DataFrame({"genre": list_names(movies["genres"]), "log": log_revenue(movies)})
    medians: dict[str, float] = by_movie.explode("genre").groupby("genre")["log"].median().to_dict()

    def expect(genres: list[str]) -> float:
        known = [medians[genre] for genre in genres if genre in medians]
        return float(np.mean(known)) if known else overall

    return lambda movies, features: list_names(movies["genres"]).map(expect).to_numpy(dtype=np.float64)


RECIPES: Mapping[str, Fit] = MappingProxyType({MODEL: fit_trees, BUDGET: fit_budget, GENRE: fit_genre})
