"""The Delta tables: their names, columns and places (contract, section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit
from urllib.request import url2pathname


@dataclass(frozen=True)
class Table:
    """A table's name within the lake and its columns in order, each with its Delta type.

    `statistics_on` names the columns whose least and greatest value the log keeps for each file; all where
    it is empty.
    """

    name: str
    columns: Mapping[str, str]
    partition_by: tuple[str, ...] = ()
    statistics_on: tuple[str, ...] = ()

    def path(self, lake_root: str) -> str:
        """The table's folder or object-store URL."""
        return f"{lake_root.rstrip('/')}/{self.name}"


def local_folder(root: str) -> Path | None:
    """The folder that a lake's root names; None where it names an object store."""
    if "://" not in root:
        return Path(root)
    url = urlsplit(root)
    return Path(url2pathname(url.path)) if url.scheme == "file" else None


def _table(
    name: str,
    *column_groups: str,
    partition_by: tuple[str, ...] = (),
    statistics_on: tuple[str, ...] = (),
) -> Table:
    """Declare a table from lines of `type: column column …`."""
    columns: dict[str, str] = {}
    for group in column_groups:
        kind, _, names = group.partition(": ")
        columns |= dict.fromkeys(names.split(), kind)
    return Table(name, MappingProxyType(columns), partition_by, statistics_on)


RAW_MOVIES = _table(
    "raw/movies",
    "long: movie_id",
    "string: payload",
    "timestamp: fetched_at",
    "string: batch_id source",
    # Not on payloads: nobody looks one up by its first 64 bytes.
    statistics_on=("movie_id", "fetched_at", "batch_id", "source"),
)
FETCH_FAILURES = _table(
    "raw/fetch_failures",
    "long: movie_id",
    "string: reason detail",
    "integer: http_status attempts",
    "timestamp: failed_at",
    "string: batch_id",
)
SILVER_MOVIES = _table(
    "silver/movies",
    "long: id",
    "string: title tagline",
    "date: release_date",
    "string: genres belongs_to_collection original_language",
    "double: budget_musd revenue_musd",
    "string: production_companies production_countries",
    "long: vote_count",
    "double: vote_average popularity",
    "integer: runtime",
    "string: overview spoken_languages poster_path cast",
    "integer: cast_size",
    "string: director",
    "integer: crew_size",
    "double: profit_musd roi",
    "integer: release_year",
    partition_by=("release_year",),
    # The embedded engine reads a column that is equal throughout a file from its statistics, and gets the
    # last bit of a double wrong there.
    statistics_on=("id",),
)
QUARANTINE = _table(
    "silver/quarantine",
    "long: movie_id",
    "string: reason detail payload",
    "timestamp: fetched_at",
    "string: batch_id",
)
OVERVIEW = _table("gold/overview", "long: movies", "double: mean_budget_musd mean_revenue_musd mean_rating")
MOVIE_RANKINGS = _table(
    "gold/movie_rankings",
    "string: ranking",
    "integer: rank",
    "long: id",
    "string: title",
    "integer: release_year",
    "double: value budget_musd revenue_musd profit_musd roi",
    "long: vote_count",
    "double: vote_average popularity",
)
MOVIE_SEARCHES = _table(
    "gold/movie_searches",
    "string: search",
    "integer: rank",
    "long: id",
    "string: title",
    "integer: release_year",
    "double: vote_average",
    "integer: runtime",
    "string: genres director",
)
FRANCHISE_COMPARISON = _table(
    "gold/franchise_comparison",
    "string: segment",
    "long: movies",
    "double: mean_revenue_musd median_roi mean_budget_musd mean_popularity mean_rating",
)
FRANCHISES = _table(
    "gold/franchises",
    "integer: rank",
    "string: collection",
    "long: movies",
    "double: total_budget_musd mean_budget_musd total_revenue_musd mean_revenue_musd mean_rating",
)
DIRECTORS = _table(
    "gold/directors",
    "integer: rank",
    "string: director",
    "long: movies",
    "double: total_revenue_musd mean_rating",
)
GENRES = _table(
    "gold/genres",
    "string: genre",
    "long: movies",
    "double: mean_rating mean_revenue_musd mean_popularity median_roi roi_p25 roi_p75",
)
YEARS = _table(
    "gold/years",
    "integer: release_year",
    "long: movies",
    "double: total_revenue_musd mean_revenue_musd mean_budget_musd mean_profit_musd",
)
# What plots draw as single points: at most MOVIE_SAMPLE_ROWS movies, chosen by a hash of the id.
MOVIE_SAMPLE = _table(
    "gold/movie_sample",
    "long: id",
    "string: title",
    "integer: release_year",
    "string: genres belongs_to_collection director",
    "double: budget_musd revenue_musd profit_musd roi",
    "long: vote_count",
    "double: vote_average popularity",
    "integer: runtime",
)
MOVIE_SAMPLE_ROWS = 5_000

GOLD = (
    OVERVIEW,
    MOVIE_RANKINGS,
    MOVIE_SEARCHES,
    FRANCHISE_COMPARISON,
    FRANCHISES,
    DIRECTORS,
    GENRES,
    YEARS,
    MOVIE_SAMPLE,
)
# One row a stage: what it read, which tables it left, and when. Committed last, so a stage that was
# interrupted is simply not published. Inputs, outputs and facts are JSON.
PUBLICATIONS = _table(
    "meta/publications",
    "string: stage code_version inputs outputs facts run_id",
    "timestamp: published_at",
)

TABLES = (RAW_MOVIES, FETCH_FAILURES, SILVER_MOVIES, QUARANTINE, *GOLD, PUBLICATIONS)
