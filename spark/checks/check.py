"""What a check is: a name, one sentence that defines it, how grave a failure is, and the rule it goes by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    # Images that only fetch know the checks by name, and have no PySpark.
    from pyspark.sql import DataFrame

# An error keeps silver from being published, a warning is shown.
Severity = Literal["error", "warning"]
Status = Literal["passed", "failed", "skipped"]

# Aggregates by their SQL; one that is null, as the median of nothing is, is left out.
Figures = Mapping[str, float]
# What the last run published, by the names of the checks.
Previous = Mapping[str, float]

ALL_ROWS = "count(1)"
# Fewer movies than these say nothing about rates and medians.
ENOUGH_MOVIES = 100


@dataclass(frozen=True)
class Finding:
    """What a rule makes of silver's figures."""

    status: Status
    value: float | None
    limit: str
    failing_rows: int | None = None


class Rule(Protocol):
    """What must hold; it asks silver for SQL aggregates only, so that all rules share one pass."""

    @property
    def allowed(self) -> str:
        """The limit in words, as it stands in the documentation."""

    @property
    def aggregates(self) -> tuple[str, ...]:
        """What must be known of silver besides the number of its rows."""

    def judge(self, name: str, figures: Figures, previous: Previous) -> Finding:
        """Compare silver's figures with what is allowed to the check of this name."""

    def failing_ids(self, movies: DataFrame) -> DataFrame | None:
        """The ids of the rows at fault in the column `id`; None where it is no fault of single rows."""


@dataclass(frozen=True)
class Check:
    """One thing that must be so in silver; SQL in rules may also use `today`, the day of the run."""

    name: str
    definition: str
    severity: Severity
    rule: Rule


def status_of(holds: bool) -> Status:
    """The status of a check that could be judged."""
    return "passed" if holds else "failed"
