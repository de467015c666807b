"""Rules on rows, keys and medians of silver alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spark.checks.check import ALL_ROWS, ENOUGH_MOVIES, Figures, Finding, Previous, status_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Rows:
    """A SQL predicate that must hold in each row, except for a share `at_most`; null does not fail."""

    holds: str
    at_most: float = 0.0
    from_movies: int = 0

    @property
    def allowed(self) -> str:
        share = f"at most {self.at_most * 100:g}% of movies" if self.at_most else "none"
        return f"{share}, from {self.from_movies:,} movies on" if self.from_movies else share

    @property
    def aggregates(self) -> tuple[str, ...]:
        return (f"count(case when {self._fails} then 1 end)",)

    def judge(self, name: str, figures: Figures, previous: Previous) -> Finding:
        rows, failing = figures[ALL_ROWS], figures[self.aggregates[0]]
        share = failing / rows if rows else 0.0
        status = "skipped" if rows < self.from_movies else status_of(share <= self.at_most)
        return Finding(status, share, self.allowed, int(failing))

    def failing_ids(self, movies: DataFrame) -> DataFrame:
        return movies.filter(self._fails).select("id")

    @property
    def _fails(self) -> str:
        return f"not ({self.holds})"


@dataclass(frozen=True)
class Unique:
    """A unique key; each further row of a key fails."""

    key: str

    @property
    def allowed(self) -> str:
        return "none"

    @property
    def aggregates(self) -> tuple[str, ...]:
        return f"count({self.key})", f"count(distinct {self.key})"

    def judge(self, name: str, figures: Figures, previous: Previous) -> Finding:
        rows = figures[ALL_ROWS]
        keys, distinct = (figures[aggregate] for aggregate in self.aggregates)
        surplus = keys - distinct
        return Finding(status_of(not surplus), surplus / rows if rows else 0.0, self.allowed, int(surplus))

    def failing_ids(self, movies: DataFrame) -> DataFrame:
        from pyspark.sql import functions as F

        return movies.groupBy(self.key).agg(F.count(self.key).alias("n")).filter("n > 1").select("id")


@dataclass(frozen=True)
class MedianWithin:
    """Bounds for the median of a column, checked if enough movies have a value."""

    column: str
    lowest: float
    highest: float
    unit: str

    @property
    def allowed(self) -> str:
        return f"{self.lowest:g} to {self.highest:,g} {self.unit}, from {ENOUGH_MOVIES} values on"

    @property
    def aggregates(self) -> tuple[str, ...]:
        return f"median({self.column})", f"count({self.column})"

    def judge(self, name: str, figures: Figures, previous: Previous) -> Finding:
        median, known = (figures.get(aggregate) for aggregate in self.aggregates)
        if median is None or not known or known < ENOUGH_MOVIES:
            return Finding("skipped", median, self.allowed)
        return Finding(status_of(self.lowest <= median <= self.highest), median, self.allowed)

    def failing_ids(self, movies: DataFrame) -> None:
        return None
