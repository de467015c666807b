"""Intervals from errors that were really made, on movies later than those a model knew (split conformal).

Quantile models would need the tails of little data right; this only needs the errors to come to be like those
of the years before (Lei et al., Distribution-free predictive inference for regression, 2018, section 2.2).
Cheap movies are forecast much worse than dear ones, so each third of the budgets has an interval of its own
(Vovk's Mondrian taxonomy): one for all would hold too few of the cheap and too many of the dear.
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
    """What to add to a forecast, in log10, for its lower and its upper end; flops lie further off than hits.

    Tiers of budgets lie between the edges, in MUSD; `errors` is how many each one's ends were made from.
    """

    level: float
    edges: tuple[float, ...]
    below: tuple[float, ...]
    above: tuple[float, ...]
    errors: tuple[int, ...]

    def ends(self, predicted: Floats, budgets: Floats) -> tuple[Floats, Floats]:
        """Lower and upper end of forecasts for movies of these budgets."""
        tier = tiers(budgets, self.edges)
        return predicted + np.array(self.below)[tier], predicted + np.array(self.above)[tier]


def tiers(budgets: Floats, edges: tuple[float, ...]) -> np.ndarray:
    """Which tier each budget is of: at an edge, of the one above."""
    return np.searchsorted(np.array(edges), budgets, side="right")


def calibrate(errors: Floats, budgets: Floats, level: float = LEVEL) -> Interval:
    """The interval that holds a further error of the same kind with at least this probability, in each tier.

    Errors are actual less forecast. Where a tier has too few errors, there is one for all.

    Raises:
        ValueError: there are too few errors in all.
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
    """The errors that are left by at most half of the rest at either side, counting one error to come.

    Raises:
        ValueError: there are too few.
    """
    rank = _rank(len(errors), level)
    if rank > len(errors):
        raise ValueError(f"{len(errors)} errors are too few for an interval of {level:.0%}")
    ordered = np.sort(errors)
    return float(ordered[len(errors) - rank]), float(ordered[rank - 1])


def least_errors(level: float) -> int:
    """How many errors there must be for an interval of this level."""
    return next(count for count in range(1, 10_000) if _rank(count, level) <= count)


def _rank(count: int, level: float) -> int:
    # Less a hair: 11 * 0.9 must not come to a little over 9.9 and be rounded up twice.
    return math.ceil((count + 1) * (1 + level) / 2 - 1e-9)
