"""Rules that compare silver with the values of the last published run; without these they are skipped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spark.checks.check import ENOUGH_MOVIES, Figures, Finding, Previous, status_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

LEAST_SHARE_LEFT = 0.9
# In a small lake, a single movie that TMDB deleted is a large share.
PARDONED_LOSS = 5
# New movies may be of another kind. If there are many, a median may change for a good reason.
LARGEST_GROWTH = 1.5


@dataclass(frozen=True)
class FewLost:
    """A count that may grow, and shrink only a little.

    It is a count, not a rate, because a growing lake may have a smaller share of known values without a loss.
    """

    count: str

    @property
    def allowed(self) -> str:
        return f"at least {LEAST_SHARE_LEFT:.0%} of the last run's, or {PARDONED_LOSS} fewer"

    @property
    def aggregates(self) -> tuple[str, ...]:
        return (self.count,)

    def judge(self, name: str, figures: Figures, previous: Previous) -> Finding:
        value, before = figures[self.count], previous.get(name)
        if before is None:
            return Finding("skipped", value, self.allowed)
        holds = value >= LEAST_SHARE_LEFT * before or before - value <= PARDONED_LOSS
        return Finding(status_of(holds), value, _beside(self.allowed, before))

    def failing_ids(self, movies: DataFrame) -> None:
        return None


@dataclass(frozen=True)
class LittleDrift:
    """A median that stays within a factor, if both runs have enough values and similar numbers of them.

    `known` names the check whose value is the last run's number of values.
    """

    column: str
    factor: float
    known: str

    @property
    def allowed(self) -> str:
        growth = f"unless values became more than {LARGEST_GROWTH:g} times as many"
        span = f"1/{self.factor:g} to {self.factor:g} times the last run's"
        return f"{span}, from {ENOUGH_MOVIES} values on, {growth}"

    @property
    def aggregates(self) -> tuple[str, ...]:
        return f"median({self.column})", f"count({self.column})"

    def judge(self, name: str, figures: Figures, previous: Previous) -> Finding:
        median, known = (figures.get(aggregate) for aggregate in self.aggregates)
        before, known_before = previous.get(name), previous.get(self.known, 0.0)
        if median is None or before is None or before <= 0 or not _comparable(known or 0.0, known_before):
            return Finding("skipped", median, self.allowed)
        holds = before / self.factor <= median <= before * self.factor
        return Finding(status_of(holds), median, _beside(self.allowed, before))

    def failing_ids(self, movies: DataFrame) -> None:
        return None


def _comparable(known: float, known_before: float) -> bool:
    return min(known, known_before) >= ENOUGH_MOVIES and known <= LARGEST_GROWTH * known_before


def _beside(allowed: str, before: float) -> str:
    return f"{allowed}; it had {before:,.6g}"
