"""All checks, in the order of the rows of `gold/data_quality`."""

from __future__ import annotations

from collections.abc import Collection

from spark.checks.completeness import KNOWN, MISSING
from spark.checks.medians import MEDIANS
from spark.checks.promises import PROMISES
from spark.checks.values import VALUES
from spark.spark_errors import UnknownCheckError

CHECKS = (*PROMISES, *VALUES, *MISSING, *KNOWN, *MEDIANS)


def require_known(accepted: Collection[str]) -> None:
    """Reject names of checks that do not exist.

    Raises:
        UnknownCheckError: a name is unknown.
    """
    if unknown := sorted(set(accepted) - {check.name for check in CHECKS}):
        raise UnknownCheckError(
            f"There is no data quality check called {', '.join(unknown)}. docs/data-quality.md lists all"
        )
