"""Drivers of the forecast: how much worse it gets if a property of the movies is shuffled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from movies.forecast.features import DRIVERS
from movies.forecast.scores import log_r2
from movies.forecast.trees import Floats, Trees

REPEATS = 30


@dataclass(frozen=True)
class Driver:
    """A property, with the drop of log R² without it and that drop's standard deviation over the repeats."""

    rank: int
    driver: str
    features: str
    log_r2_drop: float
    log_r2_drop_std: float
    repeats: int


def measure_drivers(trees: Trees, features: pd.DataFrame, actual: Floats) -> list[Driver]:
    """Shuffle the features of each driver together, several times; return the largest drop first."""
    rows = features[list(trees.features)].to_numpy(dtype=np.float64)
    whole = log_r2(actual, trees.predict_rows(rows)) or 0.0
    measured: list[tuple[str, float, float]] = []
    for place, (driver, names) in enumerate(DRIVERS.items()):
        columns = [trees.features.index(name) for name in names]
        shuffled = np.tile(rows, (REPEATS, 1, 1))
        for repeat in range(REPEATS):
            order = np.random.default_rng((place, repeat)).permutation(len(rows))
            shuffled[repeat][:, columns] = rows[order][:, columns]
        # Predict all repeats at once, because a tree takes about as long for few rows as for many.
        predicted = trees.predict_rows(shuffled.reshape(-1, rows.shape[1])).reshape(REPEATS, -1)
        drops = [whole - (log_r2(actual, one) or 0.0) for one in predicted]
        measured.append((driver, float(np.mean(drops)), float(np.std(drops))))
    measured.sort(key=lambda found: (-found[1], found[0]))
    return [
        Driver(rank, driver, "|".join(DRIVERS[driver]), drop, spread, REPEATS)
        for rank, (driver, drop, spread) in enumerate(measured, start=1)
    ]
