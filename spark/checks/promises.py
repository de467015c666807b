"""Checks of what silver's rules guarantee (contract, section 3); a failure is a fault of the pipeline."""

from __future__ import annotations

from spark.checks.check import Check
from spark.checks.rules import Rows, Unique


def _agrees(column: str, formula: str, scale: str, beyond: str) -> str:
    """Return a predicate: a computed column is null if its sources are, otherwise equal but for rounding.

    It may also be null if the result is `beyond` the range of a double. Tiny amounts have few digits.
    """
    is_near = f"coalesce(abs({formula}) <= 1e-9 * ({scale}) + 1e-12, {beyond})"
    unknown = "budget_musd is null or revenue_musd is null"
    return f"case when {unknown} then {column} is null else {is_near} end"


def _all_finite(*columns: str) -> str:
    # NaN is greater than every number.
    return " and ".join(f"abs({column}) < double('infinity')" for column in columns)


PROMISES = (
    Check("unique_ids", "No two movies have the same id.", "error", Unique("id")),
    Check(
        "identified",
        "Every movie has an id, a title and a release date.",
        "error",
        Rows("id is not null and title is not null and release_date is not null"),
    ),
    Check(
        "release_year_agrees",
        "The release year is that of the release date.",
        "error",
        Rows("release_year <=> year(release_date)"),
    ),
    Check(
        "unknown_is_null",
        "A budget, revenue or runtime that is not known is null and not 0.",
        "error",
        Rows("budget_musd <> 0 and revenue_musd <> 0 and runtime <> 0"),
    ),
    Check(
        "rated_by_votes",
        "Only a movie with votes has a rating.",
        "error",
        Rows("vote_average is null or coalesce(vote_count, 0) <> 0"),
    ),
    Check(
        "finite_figures",
        "Money, ratings and popularity are finite numbers.",
        "error",
        Rows(_all_finite("budget_musd", "revenue_musd", "profit_musd", "roi", "vote_average", "popularity")),
    ),
    Check(
        "profit_agrees",
        "Profit is revenue less budget, and null where either is.",
        "error",
        Rows(
            _agrees(
                "profit_musd",
                "profit_musd - (revenue_musd - budget_musd)",
                "abs(revenue_musd) + abs(budget_musd)",
                "abs(revenue_musd - budget_musd) > 1e301",
            )
        ),
    ),
    Check(
        "roi_agrees",
        "Return on investment is revenue divided by budget, and null where either is.",
        "error",
        Rows(
            _agrees(
                "roi",
                "roi * budget_musd - revenue_musd",
                "abs(revenue_musd)",
                "abs(revenue_musd) > 1e307 * abs(budget_musd)",
            )
        ),
    ),
    Check(
        "credits_agree",
        "A movie with a director has a crew, and one with named cast has a cast.",
        "error",
        Rows("(director is null or crew_size > 0) and (`cast` is null or cast_size > 0)"),
    ),
)
