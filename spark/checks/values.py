"""Checks of impossible and unlikely values.

An impossible value of a field that TMDB computes is an error. In a field that people fill in, it is a
warning: budgets are often mistyped, and one movie must not keep all others from being published.
"""

from __future__ import annotations

from spark.checks.check import Check
from spark.checks.rules import MedianWithin, Rows

# A few unlikely values are true, and most others are never corrected.
ODD_SHARE = 0.01

VALUES = (
    Check("rating_range", "A rating is between 0 and 10.", "error", Rows("vote_average between 0 and 10")),
    Check(
        "counts_range",
        "Votes, popularity and the sizes of cast and crew are 0 or more.",
        "error",
        Rows("vote_count >= 0 and popularity >= 0 and cast_size >= 0 and crew_size >= 0"),
    ),
    Check(
        "budget_unit",
        "The median budget is one in millions of dollars.",
        "error",
        MedianWithin("budget_musd", 0.0001, 10_000, "MUSD"),
    ),
    Check(
        "revenue_unit",
        "The median revenue is one in millions of dollars.",
        "error",
        MedianWithin("revenue_musd", 0.0001, 10_000, "MUSD"),
    ),
    Check(
        "money_not_negative",
        "Budget, revenue and return on investment are not negative.",
        "warning",
        Rows("budget_musd >= 0 and revenue_musd >= 0 and roi >= 0"),
    ),
    Check(
        "money_ceiling",
        "A budget is at most 1,000 and a revenue at most 5,000 million dollars.",
        "warning",
        Rows("budget_musd <= 1000 and revenue_musd <= 5000"),
    ),
    Check(
        "budget_floor",
        "A budget is at least 1,000 dollars, or else probably given in thousands or millions.",
        "warning",
        Rows("budget_musd >= 1e-3 or budget_musd < 0", at_most=ODD_SHARE),
    ),
    Check(
        "revenue_floor",
        "A revenue is at least 1,000 dollars, or else probably given in thousands or millions.",
        "warning",
        Rows("revenue_musd >= 1e-3 or revenue_musd < 0", at_most=ODD_SHARE),
    ),
    Check(
        "roi_ceiling",
        "A revenue is at most 1,000 times the budget.",
        "warning",
        Rows("roi <= 1000", at_most=ODD_SHARE),
    ),
    Check(
        "runtime_range",
        "A runtime is between 1 and 1,000 minutes.",
        "warning",
        Rows("runtime between 1 and 1000", at_most=ODD_SHARE),
    ),
    Check(
        "release_year_range",
        "A release year is between 1870 and ten years from now.",
        "warning",
        Rows("release_year between 1870 and year(today) + 10"),
    ),
    Check(
        "released_by_now",
        "A movie that is said to be released has a release date in the past.",
        "warning",
        Rows("release_date <= today", at_most=ODD_SHARE),
    ),
    Check(
        "revenue_after_release",
        "A movie with revenue has a release date in the past.",
        "warning",
        Rows("revenue_musd is null or release_date <= today"),
    ),
)
