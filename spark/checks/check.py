"""Declaration of a check: name, definition, severity and rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    # Images that only fetch import the checks without PySpark.
    from pyspark.sql import DataFrame

# An error keeps gold from being published; a warning is only shown.
Severity = Literal["error", "warning"]
Status = Literal["passed", "failed", "skipped"]

# Aggregates by their SQL. Null ones, such as the median of no values, are left out.
Figures = Mapping[str, float]
# Values that the last run published, by the names of the checks.
Previous = Mapping[str, float]

ALL_ROWS = "count(1)"
# Rates and medians of fewer movies mean nothing.
ENOUGH_MOVIES = 100


@dataclass(frozen=True)
class Finding:
    """The outcome of a rule for silver's figures."""

    status: Status
    value: float | None
    limit: str
    failing_rows: int | None = None


class Rule(Protocol):
    """A condition on silver; it uses only SQL aggregates, so one query serves all rules."""

    @property
    def allowed(self) -> str:
        """The limit in words, for the documentation."""

    @property
    def aggregates(self) -> tuple[str, ...]:
        """The SQL aggregates that the rule needs, besides the number of rows."""

    def judge(self, name: str, figures: Figures, previous: Previous) -> Finding:
        """Compare silver's figures with the limit; `name` is that of the check."""

    def failing_ids(self, movies: DataFrame) -> DataFrame | None:
        """Return the ids of failing rows in a column `id`, or None if the rule is not about single rows."""


@dataclass(frozen=True)
class Check:
    """A named check of silver; SQL in its rule may also use `today`, the day of the run."""

    name: str
    definition: str
    severity: Severity
    rule: Rule


def status_of(holds: bool) -> Status:
    """Return the status of a check that was not skipped."""
    return "passed" if holds else "failed"
