"""Intervals from real errors of forecasts for later movies (split conformal prediction).

Quantile models need enough data in the tails. This method only assumes that future errors are like past ones
(Lei et al., Distribution-free predictive inference for regression, 2018, section 2.2). Forecasts of cheap
movies are much worse than those of expensive ones, so each third of the budgets has its own interval (Vovk's
Mondrian taxonomy). A single interval would cover too few cheap movies and too many expensive ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from movies.forecast.trees import Floats

LEVEL = 0.8
TIERS = 3


@dataclass(frozen=True)
class Interval:
    """The lower and upper end to add to a forecast, in log10, for each tier of budgets.

    The edges between tiers are in MUSD; `errors` is the number of errors that each tier's ends come from.
    """

    level: float
    edges: tuple[float, ...]
    below: tuple[float, ...]
    above: tuple[float, ...]
    errors: tuple[int, ...]

    def ends(self, predicted: Floats, budgets: Floats) -> tuple[Floats, Floats]:
        """Return the lower and upper ends of forecasts for movies with these budgets."""
        tier = tiers(budgets, self.edges)
        return predicted + np.array(self.below)[tier], predicted + np.array(self.above)[tier]


def tiers(budgets: Floats, edges: tuple[float, ...]) -> np.ndarray:
    """Return the tier of each budget; a budget at an edge belongs to the tier above."""
    return np.searchsorted(np.array(edges), budgets, side="right")


def calibrate(errors: Floats, budgets: Floats, level: float = LEVEL) -> Interval:
    """Return an interval that contains a new error of each tier with at least this probability.

    Errors are actual minus forecast. If a tier has too few errors, there is one interval for all.

    Raises:
        ValueError: there are too few errors altogether.
    """
    edges = tuple(float(edge) for edge in np.quantile(budgets, [nth / TIERS for nth in range(1, TIERS)]))
    groups = [errors[tiers(budgets, edges) == tier] for tier in range(TIERS)]
    if min(map(len, groups)) < least_errors(level):
        edges, groups = (), [errors]
    ends = [conformal_ends(group, level) for group in groups]
    return Interval(
        level,
        edges,
        tuple(below for below, _ in ends),
        tuple(above for _, above in ends),
        tuple(map(len, groups)),
    )


def conformal_ends(errors: Floats, level: float) -> tuple[float, float]:
    """Return the two errors that bound an interval of this level for one new error.

    Raises:
        ValueError: there are too few errors.
    """
    rank = _rank(len(errors), level)
    if rank > len(errors):
        raise ValueError(f"{len(errors)} errors are too few for an interval of {level:.0%}")
    ordered = np.sort(errors)
    return float(ordered[len(errors) - rank]), float(ordered[rank - 1])


def least_errors(level: float) -> int:
    """Return the smallest number of errors for an interval of this level."""
    return next(count for count in range(1, 10_000) if _rank(count, level) <= count)


def _rank(count: int, level: float) -> int:
    # Subtract a little, so that a rounding error just above a whole number is not rounded up.
    return math.ceil((count + 1) * (1 + level) / 2 - 1e-9)
