"""Checks of completeness: shares of missing values, and counts of values beside the last run's."""

from __future__ import annotations

from spark.checks.check import ALL_ROWS, ENOUGH_MOVIES, Check
from spark.checks.comparisons import FewLost
from spark.checks.rules import Rows


def _few_missing(column: str, at_most: float) -> Rows:
    return Rows(f"`{column}` is not null", at_most, ENOUGH_MOVIES)


# Limits allow for little-known movies at TMDB, most of which have no budget and no votes.
MISSING = (
    Check(
        "missing_budgets", "Not too many movies lack a budget.", "warning", _few_missing("budget_musd", 0.99)
    ),
    Check(
        "missing_revenues",
        "Not too many movies lack a revenue.",
        "warning",
        _few_missing("revenue_musd", 0.99),
    ),
    Check("missing_runtimes", "Not too many movies lack a runtime.", "warning", _few_missing("runtime", 0.6)),
    Check(
        "missing_ratings", "Not too many movies lack a rating.", "warning", _few_missing("vote_average", 0.9)
    ),
    Check(
        "missing_popularity",
        "Not too many movies lack a popularity.",
        "warning",
        _few_missing("popularity", 0.01),
    ),
    Check(
        "missing_languages",
        "Not too many movies lack an original language.",
        "warning",
        _few_missing("original_language", 0.01),
    ),
    Check("missing_genres", "Not too many movies lack a genre.", "warning", _few_missing("genres", 0.6)),
    Check("missing_casts", "Not too many movies lack a named cast.", "warning", _few_missing("cast", 0.8)),
    Check(
        "missing_directors", "Not too many movies lack a director.", "warning", _few_missing("director", 0.8)
    ),
)

KNOWN = (
    Check("movie_count", "Silver has kept its movies since the last run.", "error", FewLost(ALL_ROWS)),
    Check(
        "known_budgets",
        "Movies have kept their budgets since the last run.",
        "error",
        FewLost("count(budget_musd)"),
    ),
    Check(
        "known_revenues",
        "Movies have kept their revenues since the last run.",
        "error",
        FewLost("count(revenue_musd)"),
    ),
    Check(
        "known_runtimes",
        "Movies have kept their runtimes since the last run.",
        "error",
        FewLost("count(runtime)"),
    ),
    Check(
        "known_ratings",
        "Movies have kept their ratings since the last run.",
        "error",
        FewLost("count(vote_average)"),
    ),
    Check(
        "known_popularity",
        "Movies have kept their popularity since the last run.",
        "error",
        FewLost("count(popularity)"),
    ),
    Check(
        "known_genres", "Movies have kept their genres since the last run.", "error", FewLost("count(genres)")
    ),
    Check(
        "known_casts",
        "Movies have kept their named casts since the last run.",
        "error",
        FewLost("count(`cast`)"),
    ),
    Check(
        "known_directors",
        "Movies have kept their directors since the last run.",
        "error",
        FewLost("count(director)"),
    ),
)
