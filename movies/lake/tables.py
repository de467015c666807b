"""The raw, silver and other tables: names and columns (contract, section 3)."""

from __future__ import annotations

from movies.lake.table import declare, with_optional

RAW_MOVIES = declare(
    "raw/movies",
    "long: movie_id",
    "string: payload",
    "timestamp: fetched_at",
    "string: batch_id source",
    # Not on payloads: nobody looks one up by its first 64 bytes.
    statistics_on=("movie_id", "fetched_at", "batch_id", "source"),
)
FETCH_FAILURES = declare(
    "raw/fetch_failures",
    "long: movie_id",
    "string: reason detail",
    "integer: http_status attempts",
    "timestamp: failed_at",
    "string: batch_id",
)
# What IMDb's file of ratings had when it was last another than before (docs/sources.md).
IMDB_RATINGS = declare(
    "raw/imdb_ratings",
    "string: imdb_id",
    "double: rating",
    "long: votes",
    "timestamp: fetched_at",
    "string: batch_id source",
    statistics_on=("imdb_id",),
)
SILVER_MOVIES = declare(
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
    # With IMDb's ratings only (docs/sources.md).
    optional=("string: imdb_id", "double: imdb_rating", "long: imdb_votes"),
)
RATED_MOVIES = with_optional(SILVER_MOVIES)
QUARANTINE = declare(
    "silver/quarantine",
    "long: movie_id",
    "string: reason detail payload",
    "timestamp: fetched_at",
    "string: batch_id",
)
FILTERED = declare(
    "silver/filtered",
    "long: movie_id",
    "string: reason",
    "timestamp: fetched_at",
    "string: batch_id",
)
SILVER = (SILVER_MOVIES, QUARANTINE, FILTERED)
RATED_SILVER = (RATED_MOVIES, QUARANTINE, FILTERED)
# One row a stage: what it read, which tables it left, and when. Committed last, so a stage that was
# interrupted is simply not published. Inputs, outputs and facts are JSON.
PUBLICATIONS = declare(
    "meta/publications",
    "string: stage code_version inputs outputs facts run_id",
    "timestamp: published_at",
)

# One row a check of silver: what was found, and what is allowed. Not in `GOLD`: no KPI fills it.
DATA_QUALITY = declare(
    "gold/data_quality",
    "string: check severity status",
    "double: value",
    "string: limit",
    "long: rows failing_rows",
    "string: examples definition",
)
