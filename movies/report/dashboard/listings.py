"""The gold tables that the dashboard lists, with their columns and order."""

from __future__ import annotations

from dataclasses import dataclass

from movies.lake import gold_tables as tables
from movies.lake.table import Table
from movies.report.gold import REPORT_TABLES

# Maximum rows of a table, because all people and collections would make the page too large.
LISTED_ROWS = 500
_GROUP = ("total_revenue_musd", "mean_revenue_musd", "median_roi", "share_profitable", "mean_rating")


@dataclass(frozen=True)
class Listing:
    """A table on the page: columns, and the order of its first rows, descending for a column with `-`."""

    table: Table
    title: str
    columns: tuple[str, ...]
    order: tuple[str, ...]

    @property
    def name(self) -> str:
        """The table's name without its layer."""
        return self.table.name.removeprefix("gold/")


LISTINGS = (
    Listing(
        tables.MOVIE_RANKINGS,
        "Rankings",
        (
            *("ranking", "rank", "title", "release_year", "budget_musd", "revenue_musd", "profit_musd"),
            *("roi", "vote_average", "vote_count", "popularity"),
        ),
        ("ranking", "rank"),
    ),
    Listing(
        tables.WEIGHTED_RATINGS,
        "Weighted ratings",
        ("rank", "title", "release_year", "weighted_rating", "vote_average", "vote_count"),
        ("rank",),
    ),
    Listing(
        tables.REAL_REVENUES,
        "Revenue in real dollars",
        ("rank", "title", "release_year", "revenue_musd", "revenue_real_musd", "real_base_year"),
        ("rank",),
    ),
    Listing(
        tables.DIRECTORS,
        "Directors",
        ("rank", "director", "movies", "total_revenue_musd", "mean_rating", "movies_with_revenue"),
        ("rank",),
    ),
    Listing(
        tables.FRANCHISES,
        "Franchises",
        (
            *("rank", "collection", "movies", "total_budget_musd", "mean_budget_musd", "total_revenue_musd"),
            *("mean_revenue_musd", "mean_rating"),
        ),
        ("rank",),
    ),
    Listing(
        tables.FRANCHISE_COMPARISON,
        "Franchise and standalone movies",
        (
            *("segment", "movies", "mean_revenue_musd", "mean_budget_musd", "median_roi", "mean_rating"),
            *("mean_popularity", "movies_with_revenue", "movies_with_roi"),
        ),
        ("segment",),
    ),
    Listing(
        tables.GENRES,
        "Genres",
        (
            *("genre", "movies", "mean_revenue_musd", "mean_rating", "mean_popularity", "median_roi"),
            *("roi_p25", "roi_p75", "share_profitable", "movies_with_revenue", "movies_with_roi"),
        ),
        ("-movies", "genre"),
    ),
    Listing(tables.ACTORS, "Actors", ("rank", "actor", "movies", *_GROUP), ("rank",)),
    Listing(tables.COMPANIES, "Companies", ("rank", "company", "movies", *_GROUP), ("rank",)),
    Listing(tables.COUNTRIES, "Countries", ("country", "movies", *_GROUP), ("-movies", "country")),
    Listing(tables.LANGUAGES, "Languages", ("language", "movies", *_GROUP), ("-movies", "language")),
    Listing(
        tables.YEARS,
        "Years",
        (
            *("release_year", "movies", "total_revenue_musd", "mean_revenue_musd", "mean_budget_musd"),
            *("mean_profit_musd", "share_profitable", "total_revenue_real_musd", "movies_with_revenue"),
        ),
        ("-release_year",),
    ),
    Listing(
        tables.DECADES,
        "Decades",
        ("decade", "movies", *_GROUP, "total_revenue_real_musd"),
        ("-decade",),
    ),
    Listing(
        tables.RELEASE_MONTHS,
        "Months of release",
        ("month", "movies", *_GROUP, "movies_on_first_day"),
        ("month",),
    ),
    Listing(
        tables.BUDGET_TIERS,
        "Budget tiers",
        ("tier", "budget_from_musd", "budget_below_musd", "movies", *_GROUP, "roi_p25", "roi_p75"),
        ("tier",),
    ),
    Listing(
        tables.MOVIE_SEARCHES,
        "Searches of the report",
        ("search", "rank", "title", "release_year", "vote_average", "runtime", "genres", "director"),
        ("search", "rank"),
    ),
    Listing(
        tables.SUSPICIOUS_MONEY,
        "Suspicious money",
        ("reason", "rank", "title", "release_year", "budget_usd", "revenue_usd", "roi", "vote_count"),
        ("reason", "rank"),
    ),
)

# All tables of the page: the report's and those that are only listed.
DASHBOARD_TABLES = (
    *REPORT_TABLES,
    *(listing.table for listing in LISTINGS if listing.table not in REPORT_TABLES),
)
