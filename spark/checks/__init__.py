"""Data quality checks of silver, which must pass before gold is published."""

from spark.checks.all_checks import CHECKS
from spark.checks.check import Check
from spark.checks.check_run import run_checks
from spark.checks.results import CheckResult, CheckResults
from spark.spark_errors import DataQualityError

__all__ = [
    "CHECKS",
    "Check",
    "CheckResult",
    "CheckResults",
    "DataQualityError",
    "run_checks",
]
