"""Checks that compare medians with those of the last run."""

from __future__ import annotations

from spark.checks.check import Check
from spark.checks.comparisons import LittleDrift

MEDIANS = (
    Check("median_budget", "The median budget is about that of the last run.", "warning",
          LittleDrift("budget_musd", 2, "known_budgets")),
    Check("median_revenue", "The median revenue is about that of the last run.", "warning",
          LittleDrift("revenue_musd", 2, "known_revenues")),
    Check("median_runtime", "The median runtime is about that of the last run.", "warning",
          LittleDrift("runtime", 1.25, "known_runtimes")),
    Check("median_rating", "The median rating is about that of the last run.", "warning",
          LittleDrift("vote_average", 1.25, "known_ratings")),
    Check("median_popularity", "The median popularity is about that of the last run.", "warning",
          LittleDrift("popularity", 2, "known_popularity")),
)  # fmt: skip
