"""The published model: trees, their interval and their origin, in a text file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from movies.forecast.features import FEATURES
from movies.forecast.forecast_errors import ModelFileError, NoForecastError
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
    """A model for movies released from a year on; it was trained only on earlier ones."""

    trees: Trees
    interval: Interval
    forecasts_from: int
    learnt_from: int

    def forecast(self, features: pd.DataFrame) -> Forecast:
        """Forecast movies from their features."""
        predicted = self.trees.predict(features)
        budgets = 10 ** features["log_budget"].to_numpy(dtype=np.float64)
        return Forecast(predicted, *self.interval.ends(predicted, budgets))

    def forecast_movie(self, movies: pd.DataFrame, features: pd.DataFrame, movie_id: int) -> Forecast:
        """Forecast one of the movies.

        Raises:
            NoForecastError: the movie is missing, has no budget, or the model may have been trained on it.
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
    """Encode the model as JSON, with its origin and the version of the library that trained it."""
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
    """Read a model and check its origin and library; no code of the file is run.

    Raises:
        ModelFileError: the file is missing, is not a model, or is of other data, code, features or library.
    """
    try:
        parts = json.loads(path.read_bytes())
        grown_by, made = parts["library"]["version"], dict(parts["made_from"])
        file_format, features = parts["format"], tuple(parts["trees"]["features"])
    except OSError as error:
        raise ModelFileError(f"The model {path} cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelFileError(f"{path} is not a model of this project, or is damaged") from error
    expectations = [
        ("format", file_format, FORMAT),
        (LIBRARY, grown_by, version(LIBRARY)),
        ("list of features", features, FEATURES),
        *((name.replace("_", " "), made.get(name), wanted) for name, wanted in made_from.items()),
    ]
    for what, found, wanted in expectations:
        if found != wanted:
            shown = "" if isinstance(wanted, tuple) else f" ({found}, and not {wanted})"
            raise ModelFileError(
                f"The model {path} is of another {what}{shown}. Run `movies forecast` to rebuild it."
            )
    try:
        return Model(
            Trees.from_dict(parts["trees"]),
            _interval(parts["interval"]),
            int(parts["forecasts_from"]),
            int(parts["learnt_from"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelFileError(f"{path} is not a model of this project, or is damaged") from error


def _interval(parts: Mapping[str, Any]) -> Interval:
    """Invert `asdict`.

    Raises:
        KeyError, TypeError, ValueError: the parts are not an interval.
    """
    lists = {name: tuple(map(float, parts[name])) for name in ("edges", "below", "above")}
    if {len(lists["edges"]) + 1} != {len(lists["below"]), len(lists["above"])}:
        raise ValueError("an interval has one tier more than edges")
    return Interval(level=float(parts["level"]), errors=tuple(map(int, parts["errors"])), **lists)
