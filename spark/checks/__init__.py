"""Data quality checks of silver, which must pass before gold is published."""

from spark.checks.check import Check
from spark.checks.registry import CHECKS
from spark.checks.results import CheckResult, CheckResults
from spark.checks.run import run_checks
from spark.errors import DataQualityError

__all__ = [
    "CHECKS",
    "Check",
    "CheckResult",
    "CheckResults",
    "DataQualityError",
    "run_checks",
]
