"""Results of the checks: a row each, and a sentence about those that failed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import pyarrow as pa

from movies.lake.arrow import arrow_rows
from movies.lake.tables import DATA_QUALITY
from spark.checks.check import Severity, Status
from spark.spark_errors import DataQualityError


@dataclass(frozen=True)
class CheckResult:
    """One row of `gold/data_quality`.

    `value` is the share of failing rows, or the figure that was checked; `limit` is the limit in words.
    """

    check: str
    severity: Severity
    status: Status
    value: float | None
    limit: str
    rows: int
    failing_rows: int | None
    examples: str | None
    definition: str

    def describe(self) -> str:
        """Name the check, with the value that was found and the limit."""
        if self.failing_rows is None:
            found = "no value" if self.value is None else f"{self.value:,.6g}"
        else:
            found = f"{self.failing_rows:,} of {self.rows:,} movies"
        return f"{self.check} ({found}{self._ids()}; allowed: {self.limit})"

    def _ids(self) -> str:
        if not self.examples:
            return ""
        shown = self.examples.count(",") + 1
        others = " and others" if shown < (self.failing_rows or 0) else ""
        return f", id{'s' if shown > 1 else ''} {self.examples}{others}"


@dataclass(frozen=True)
class CheckResults:
    """All checks of one silver, in the order of their declarations."""

    results: tuple[CheckResult, ...]

    def __iter__(self) -> Iterator[CheckResult]:
        return iter(self.results)

    def failed(self, severity: Severity) -> tuple[CheckResult, ...]:
        """Return the failed checks of one severity."""
        return tuple(one for one in self.results if one.status == "failed" and one.severity == severity)

    def describe_failed(self, severity: Severity) -> str | None:
        """Return a sentence about the failed checks of one severity, or None if none failed."""
        failed = self.failed(severity)
        if not failed:
            return None
        noun = "check" if severity == "error" else "warning"
        counted = f"{len(failed)} data quality {noun}{'s' if len(failed) > 1 else ''}"
        verb = " failed" if severity == "error" else ""
        return f"{counted}{verb}: " + "; ".join(result.describe() for result in failed)

    @property
    def values(self) -> dict[str, float]:
        """The values for the next run to compare with."""
        return {result.check: result.value for result in self.results if result.value is not None}

    def require(self, accepted: Collection[str] = ()) -> None:
        """Raise `DataQualityError` if a check of severity `error` failed and is not accepted by name."""
        rejected = tuple(result for result in self.failed("error") if result.check not in accepted)
        sentence = CheckResults(rejected).describe_failed("error")
        if sentence is not None:
            ways = " ".join(f"--accept {result.check}" for result in rejected)
            raise DataQualityError(f"{sentence}. What was published before stays; `{ways}` publishes this")

    def to_arrow(self) -> pa.Table:
        """Return the rows of `gold/data_quality`."""
        return arrow_rows(DATA_QUALITY, self.results)
