"""The tables of silver: names and columns (contract, section 3)."""

from __future__ import annotations

from movies.lake.table import declare, with_optional

# The fetch that a row of silver comes from.
_FETCH = """
    timestamp fetched_at: From when the content of the payload is, UTC.
    string batch_id: Commit of raw/movies that the payload came with.
"""
SILVER_MOVIES = declare(
    "silver/movies",
    "Released movies, the latest payload of each.",
    """
    long id: TMDB's id of the movie.
    string title: Title.
    string tagline: Tagline; null if TMDB has none.
    date release_date: Day of the first release.
    string genres: Genres in TMDB's order, joined by `|`; a `|` within a name is `/`, as in all lists.
    string belongs_to_collection: Name of the collection that the movie is part of; null if there is none.
    string original_language: TMDB's code of the original language.
    double budget_musd: Budget in millions of dollars of its time; null if TMDB has 0.
    double revenue_musd: Revenue in millions of dollars of its time; null if TMDB has 0.
    string production_companies: Names of the production companies, joined by `|`.
    string production_countries: Names of the production countries, joined by `|`.
    long vote_count: Number of votes at TMDB.
    double vote_average: Mean of the votes at TMDB, 0 to 10; null without votes.
    double popularity: TMDB's popularity of the movie when it was fetched.
    integer runtime: Runtime in minutes; null if TMDB has 0.
    string overview: Summary of the plot; null if TMDB has none.
    string spoken_languages: Names of the spoken languages, joined by `|`.
    string poster_path: Path of the poster on TMDB's server of images.
    string cast: Names of the cast in order of billing, joined by `|`.
    integer cast_size: Number of entries in TMDB's cast; 0 if there are none.
    string director: Names of all crew members whose job is Director, each once, joined by `|`.
    integer crew_size: Number of entries in TMDB's crew; 0 if there are none.
    double profit_musd: Revenue minus budget, in millions of dollars; null if either is.
    double roi: Return on investment: revenue divided by budget; null if either is.
    integer release_year: Year of the release date.
    """,
    partition_by=("release_year",),
    # If a column has one value throughout a file, the embedded engine reads it from the statistics, and gets
    # the last bit of a double wrong.
    statistics_on=("id",),
    # With IMDb's ratings only (docs/sources.md).
    optional="""
    string imdb_id: Id of the movie at IMDb, as TMDB's payload names it.
    double imdb_rating: IMDb's average rating, 1 to 10; null if IMDb has none for that id.
    long imdb_votes: Number of votes behind IMDb's rating; null if IMDb has none for that id.
    """,
)
RATED_MOVIES = with_optional(SILVER_MOVIES)
QUARANTINE = declare(
    "silver/quarantine",
    "Payloads that silver rejected, with the reason and the field.",
    """
    long movie_id: TMDB's id that the movie was requested by.
    string reason: `malformed`, `undecodable`, `missing_id`, `missing_title`, `id_mismatch` or `bad_value`.
    string detail: Invalid fields of the payload, or the error.
    string payload: The payload, verbatim.
    """,
    _FETCH,
)
FILTERED = declare(
    "silver/filtered",
    "Movies left out of silver although their payload is valid, with the reason.",
    """
    long movie_id: TMDB's id of the movie.
    string reason: `not_released`, `no_release_date`, `too_few_values` or `deleted`.
    """,
    _FETCH,
)
SILVER = (SILVER_MOVIES, QUARANTINE, FILTERED)
RATED_SILVER = (RATED_MOVIES, QUARANTINE, FILTERED)
