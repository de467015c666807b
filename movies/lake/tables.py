"""All tables of a lake, and the declarations of those without a module of their own (contract, section 3)."""

from __future__ import annotations

from movies.lake.silver_tables import FILTERED as FILTERED
from movies.lake.silver_tables import QUARANTINE as QUARANTINE
from movies.lake.silver_tables import RATED_MOVIES as RATED_MOVIES
from movies.lake.silver_tables import RATED_SILVER as RATED_SILVER
from movies.lake.silver_tables import SILVER as SILVER
from movies.lake.silver_tables import SILVER_MOVIES as SILVER_MOVIES
from movies.lake.table import declare

RAW_MOVIES = declare(
    "raw/movies",
    "Fetched payloads as TMDB sent them; append-only, but rows are dropped after six months.",
    """
    long movie_id: TMDB's id that the movie was requested by.
    string payload: TMDB's JSON with the credits, verbatim.
    timestamp fetched_at: From when the content is: when it was requested, less its age in caches, UTC.
    string batch_id: Run and checkpoint that the row came with.
    string source: `sandbox`, or the base URL of the server.
    """,
    # Payloads need none: queries do not filter by them.
    statistics_on=("movie_id", "fetched_at", "batch_id", "source"),
)
FETCH_FAILURES = declare(
    "raw/fetch_failures",
    "Movies that could not be fetched in a run, with the reason; a later row of raw/movies supersedes it.",
    """
    long movie_id: TMDB's id that the movie was requested by.
    string reason: `not_found`, `exhausted_retries`, `invalid_payload`, `unexpected_status`, or `lost_file` \
        for a payload whose file is gone.
    string detail: Error of the last try.
    integer http_status: Status of the last answer; null if there was no answer.
    integer attempts: Number of tries.
    timestamp failed_at: When the movie was given up, or from when TMDB's answer is that it has none, UTC.
    string batch_id: Run and checkpoint that the row came with.
    """,
)
# IMDb's file of ratings as of its last change (docs/sources.md).
IMDB_RATINGS = declare(
    "raw/imdb_ratings",
    "Ratings of all titles in IMDb's file; only if IMDB_RATINGS is set.",
    """
    string imdb_id: Id of the title at IMDb.
    double rating: IMDb's average rating, 1 to 10.
    long votes: Number of votes behind the rating.
    timestamp fetched_at: When the file was read, UTC.
    string batch_id: Run that read the file.
    string source: Path or URL of the file.
    """,
    statistics_on=("imdb_id",),
)
# One row a stage, committed last, so an interrupted stage is not published.
PUBLICATIONS = declare(
    "meta/publications",
    "The current result of each stage: what it read, what it wrote, and by which code.",
    """
    string stage: `transform` or `kpis`.
    string code_version: Digest of the code that decides the result.
    string inputs: Tables that were read, each with its id and version, as JSON.
    string outputs: Tables that were written, each with its id and version, as JSON.
    string facts: Figures that a run's summary shows, as JSON.
    string run_id: Id of the flow run in Prefect.
    timestamp published_at: When the result became the current one, UTC.
    """,
)
# Not in `GOLD`: no KPI fills it.
DATA_QUALITY = declare(
    "gold/data_quality",
    "Checks of silver: what each found, what is allowed, and ids of failing movies.",
    """
    string check: Name of the check.
    string severity: `error` keeps gold from being published, `warning` does not.
    string status: `passed`, `failed`, or `skipped`: too few movies, or no earlier run to compare with.
    double value: Share of failing rows, or the figure that was checked: a count or a median.
    string limit: What is allowed, in words, with the figure of the last run if it is compared.
    long rows: Number of movies in silver.
    long failing_rows: Number of movies that fail; null if the check is not about single movies.
    string examples: Up to five ids of failing movies, joined by `, `.
    string definition: What must be true.
    """,
)
