"""All checks, in the order of the rows of `gold/data_quality`."""

from spark.checks.completeness import KNOWN, MISSING
from spark.checks.medians import MEDIANS
from spark.checks.promises import PROMISES
from spark.checks.values import VALUES

CHECKS = (*PROMISES, *VALUES, *MISSING, *KNOWN, *MEDIANS)
