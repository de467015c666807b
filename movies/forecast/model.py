"""The model that is published: trees, their interval and what they were made from, in a file of text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from movies.forecast.errors import ModelFileError, NoForecastError
from movies.forecast.features import FEATURES
from movies.forecast.interval import Interval
from movies.forecast.trees import Floats, Trees

FORMAT = 2
LIBRARY = "scikit-learn"


@dataclass(frozen=True)
class Forecast:
    """Forecasts of some movies with the ends of their intervals, in log10 of MUSD."""

    predicted: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Model:
    """What forecasts movies released from a year on; what it has learnt from is all earlier."""

    trees: Trees
    interval: Interval
    forecasts_from: int
    learnt_from: int

    def forecast(self, features: pd.DataFrame) -> Forecast:
        """Forecast from the features of movies."""
        predicted = self.trees.predict(features)
        budgets = 10 ** features["log_budget"].to_numpy(dtype=np.float64)
        return Forecast(predicted, *self.interval.ends(predicted, budgets))

    def forecast_movie(self, movies: pd.DataFrame, features: pd.DataFrame, movie_id: int) -> Forecast:
        """Forecast one movie of those there are.

        Raises:
            NoForecastError: it is not there, has no budget, or the model may have learnt from it.
        """
        found = movies["id"] == movie_id
        if not found.any():
            raise NoForecastError(f"Movie {movie_id} is not in silver, or has no known budget")
        movie = movies[found].iloc[0]
        name, year = f"Movie {movie_id} ({movie['title']})", movie["release_date"].year
        if np.isnan(movie["budget_musd"]):
            raise NoForecastError(f"{name} has no known budget, which a forecast needs")
        if year < self.forecasts_from:
            raise NoForecastError(
                f"{name} was released in {year}, and the model knows what those before {self.forecasts_from} "
                "earned: that would be memory, and no forecast"
            )
        return self.forecast(features[found])


def dump_model(model: Model, made_from: Mapping[str, Any]) -> bytes:
    """The model as JSON, with what it was made from and the version of the library that grew it."""
    parts = {
        "format": FORMAT,
        "library": {"name": LIBRARY, "version": version(LIBRARY)},
        "made_from": dict(made_from),
        "forecasts_from": model.forecasts_from,
        "learnt_from": model.learnt_from,
        "interval": asdict(model.interval),
        "trees": model.trees.to_dict(),
    }
    return json.dumps(parts).encode()


def load_model(path: Path, made_from: Mapping[str, Any]) -> Model:
    """Read a model that was made from just this, by just these libraries; nothing in the file is run.

    Raises:
        ModelFileError: it is not there, is no model, or is one of other data, code, features or library.
    """
    try:
        parts = json.loads(path.read_bytes())
        grown_by, made = parts["library"]["version"], dict(parts["made_from"])
        file_format, features = parts["format"], tuple(parts["trees"]["features"])
    except OSError as error:
        raise ModelFileError(f"The model {path} cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelFileError(f"{path} is no model of this project, or is damaged") from error
    misfits = [
        ("format", file_format, FORMAT),
        (LIBRARY, grown_by, version(LIBRARY)),
        ("list of features", features, FEATURES),
        *((name.replace("_", " "), made.get(name), wanted) for name, wanted in made_from.items()),
    ]
    for what, found, wanted in misfits:
        if found != wanted:
            shown = "" if isinstance(wanted, tuple) else f" ({found}, and not {wanted})"
            raise ModelFileError(
                f"The model {path} is of another {what}{shown}: `movies forecast` makes it anew"
            )
    try:
        return Model(
            Trees.from_dict(parts["trees"]),
            _interval(parts["interval"]),
            int(parts["forecasts_from"]),
            int(parts["learnt_from"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelFileError(f"{path} is no model of this project, or is damaged") from error


def _interval(parts: Mapping[str, Any]) -> Interval:
    """The inverse of `asdict`.

    Raises:
        KeyError, TypeError, ValueError: this is no interval.
    """
    lists = {name: tuple(map(float, parts[name])) for name in ("edges", "below", "above")}
    if {len(lists["edges"]) + 1} != {len(lists["below"]), len(lists["above"])}:
        raise ValueError("an interval has one tier more than edges")
    return Interval(level=float(parts["level"]), errors=tuple(map(int, parts["errors"])), **lists)
