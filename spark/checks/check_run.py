"""Run all checks in one pass over silver, and a second pass for examples if a check failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import reduce
from typing import TYPE_CHECKING

from spark.checks.all_checks import CHECKS
from spark.checks.check import ALL_ROWS, Check, Figures, Finding
from spark.checks.results import CheckResult, CheckResults

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# The columns of silver that rules may use. Long texts are not read.
CHECKED_COLUMNS = (
    "id", "title", "release_date", "release_year", "genres", "original_language", "cast", "cast_size",
    "director", "crew_size", "budget_musd", "revenue_musd", "profit_musd", "roi", "vote_count",
    "vote_average", "popularity", "runtime",
)  # fmt: skip
EXAMPLES = 5


def run_checks(
    movies: DataFrame,
    previous: Mapping[str, float] | None,
    today: date,
    checks: Sequence[Check] = CHECKS,
) -> CheckResults:
    """Check silver's movies, of which `CHECKED_COLUMNS` are needed; failed checks raise nothing here.

    `previous` are the values that the last run published (`CheckResults.values`). Without them, comparisons
    with the last run are skipped.
    """
    from pyspark.sql import functions as F

    movies = movies.select(*CHECKED_COLUMNS).withColumn("today", F.lit(today))
    figures = measure(movies, checks)
    findings = {check.name: check.rule.judge(check.name, figures, previous or {}) for check in checks}
    failed = [check for check in checks if findings[check.name].status == "failed"]
    examples = find_examples(movies, failed)
    rows = int(figures[ALL_ROWS])
    return CheckResults(
        tuple(_result(check, findings[check.name], rows, examples.get(check.name, [])) for check in checks)
    )


def measure(movies: DataFrame, checks: Sequence[Check]) -> Figures:
    """Compute the aggregates of all rules in one query."""
    from pyspark.sql import functions as F

    wanted = dict.fromkeys((ALL_ROWS, *(sql for check in checks for sql in check.rule.aggregates)))
    columns = [F.expr(sql).cast("double").alias(f"figure_{nth}") for nth, sql in enumerate(wanted)]
    [row] = movies.agg(*columns).toArrow().to_pylist()
    return {sql: value for sql, value in zip(wanted, row.values(), strict=True) if value is not None}


def find_examples(movies: DataFrame, failed: Sequence[Check]) -> dict[str, list[int]]:
    """Return the smallest ids of failing rows, a few for each check, in one query."""
    from pyspark.sql import DataFrame
    from pyspark.sql import functions as F

    few = [
        ids.orderBy("id").limit(EXAMPLES).select(F.lit(check.name).alias("check"), "id")
        for check in failed
        if (ids := check.rule.failing_ids(movies)) is not None
    ]
    if not few:
        return {}
    found: dict[str, list[int]] = {}
    for row in reduce(DataFrame.unionAll, few).toArrow().to_pylist():
        if row["id"] is not None:
            found.setdefault(row["check"], []).append(row["id"])
    return {check: sorted(ids) for check, ids in found.items()}


def _result(check: Check, finding: Finding, rows: int, examples: list[int]) -> CheckResult:
    return CheckResult(
        check=check.name,
        severity=check.severity,
        status=finding.status,
        value=finding.value,
        limit=finding.limit,
        rows=rows,
        failing_rows=finding.failing_rows,
        examples=", ".join(map(str, examples)) or None,
        definition=check.definition,
    )
