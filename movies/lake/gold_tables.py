"""The gold tables: names, columns, and maximum numbers of rows (contract, section 3)."""

from __future__ import annotations

from movies.lake.silver_tables import SILVER_MOVIES
from movies.lake.table import Table, declare, pick

# Maximum rows of tables that would otherwise have a row for each person, company or movie.
LISTED_ROWS = 1_000
RANKING_PLACES = 5
WEIGHTED_PLACES = 250
REAL_PLACES = 100
MOVIE_SAMPLE_ROWS = 5_000
PRIOR_POWER_ROWS = 5_000
# The first names of a cast count as top-billed.
TOP_BILLED = 5
# Pairs grow with the square of a movie's names; collective films name hundreds.
PAIRED_DIRECTORS = 10
PAIRED_GENRES = 20
# Fewest movies that two people must have made together to be listed as a pair.
MINIMUM_TOGETHER = 2
# Tukey's fences.
FENCE_IQR = 1.5
# The mean of all movies weighs as many votes as this quantile: one movie in ten has more.
PRIOR_VOTES_QUANTILE = 0.9
# Real money is in dollars of this year.
REAL_BASE_YEAR = 2025

# Figures of a group of movies by column; `{of}` says which group.
_FIGURES = """
long movies: Number of movies {of}.
long movies_with_budget: Number of movies {of} whose budget is known.
long movies_with_revenue: Number of movies {of} whose revenue is known.
long movies_with_roi: Number of movies {of} whose budget and revenue are both known.
long movies_with_rating: Number of movies {of} that have votes.
long movies_with_real_revenue: Number of movies {of} with a revenue and a release year that the index covers.
long movies_on_first_day: Number of movies {of} on its first day, which TMDB often has for an unknown day.
double total_budget_musd: Sum of the budgets {of}, in millions of dollars; unknown ones count as 0.
double total_revenue_musd: Sum of the revenues {of}, in millions of dollars; unknown ones count as 0.
double mean_budget_musd: Mean of the known budgets {of}, in millions of dollars.
double mean_revenue_musd: Mean of the known revenues {of}, in millions of dollars.
double mean_profit_musd: Mean of the known profits {of}, in millions of dollars.
double mean_rating: Mean of TMDB's `vote_average` over the movies {of} that have votes.
double mean_popularity: Mean of TMDB's popularity over the movies {of}.
double median_budget_musd: Exact median of the known budgets {of}, in millions of dollars.
double median_revenue_musd: Exact median of the known revenues {of}, in millions of dollars.
double median_roi: Exact median of the known returns on investment {of}.
double median_rating: Exact median of TMDB's `vote_average` over the movies {of} that have votes.
double roi_p25: First quartile of the returns on investment {of}, interpolated linearly.
double roi_p75: Third quartile of the returns on investment {of}, interpolated linearly.
double share_profitable: Share of movies {of} with more revenue than budget, among those with both.
integer real_base_year: Year in whose dollars real money is.
double total_revenue_real_musd: Sum of the revenues {of} in millions of real dollars; null if none.
double mean_revenue_real_musd: Mean of the revenues {of} in millions of real dollars; null if none.
double median_revenue_real_musd: Exact median of the revenues {of} in millions of real dollars; null if none.
double mean_budget_real_musd: Mean of the budgets {of} in millions of real dollars; null if none.
"""
_COVERAGE = "movies_with_budget movies_with_revenue movies_with_roi"
_PAIR = f"movies {_COVERAGE} total_revenue_musd mean_revenue_musd median_roi share_profitable mean_rating"
_GROUP = (
    f"movies {_COVERAGE} total_revenue_musd mean_revenue_musd median_revenue_musd mean_budget_musd "
    "median_budget_musd median_roi share_profitable mean_rating"
)


def _figures(of: str, names: str) -> str:
    lines = {line.split(" ", 2)[1].rstrip(":"): line for line in _FIGURES.strip().splitlines()}
    return "\n".join(lines[name] for name in names.split()).format(of=of)


_RANK = "integer rank: Place of the row in the order of the table, from 1."
_REAL_YEAR = _figures("", "real_base_year")

OVERVIEW = declare(
    "gold/overview",
    "All movies in silver in one row: how many there are, and their mean and median figures.",
    _figures(
        "in silver",
        f"movies mean_budget_musd mean_revenue_musd mean_rating {_COVERAGE} share_profitable median_rating",
    ),
)
MOVIE_RANKINGS = declare(
    "gold/movie_rankings",
    f"The first {RANKING_PLACES} movies of each ranking, ties by id.",
    """
    string ranking: Name of the ranking that the row belongs to.
    integer rank: Place of the movie in its ranking, from 1.
    """,
    pick(SILVER_MOVIES, "id title release_year"),
    "double value: Figure of the movie that its ranking is ordered by.",
    pick(SILVER_MOVIES, "budget_musd revenue_musd profit_musd roi vote_count vote_average popularity"),
)
MOVIE_SEARCHES = declare(
    "gold/movie_searches",
    "The hits of each search by rank.",
    """
    string search: Name of the search that the row belongs to.
    integer rank: Place of the movie in its search, from 1.
    """,
    pick(SILVER_MOVIES, "id title release_year vote_average runtime genres director"),
)
FRANCHISE_COMPARISON = declare(
    "gold/franchise_comparison",
    "Movies that belong to a collection beside those that belong to none.",
    "string segment: `Franchise` (movies of a collection) or `Standalone`.",
    _figures(
        "of the segment",
        "movies mean_revenue_musd median_roi mean_budget_musd mean_popularity mean_rating "
        f"{_COVERAGE} median_revenue_musd median_budget_musd movies_with_rating",
    ),
)
FRANCHISES = declare(
    "gold/franchises",
    "Collections with two movies or more, ranked by total revenue.",
    _RANK,
    "string collection: Name of the collection at TMDB.",
    _figures(
        "of the collection",
        "movies total_budget_musd mean_budget_musd total_revenue_musd mean_revenue_musd mean_rating "
        f"{_COVERAGE}",
    ),
)
DIRECTORS = declare(
    "gold/directors",
    "Directors ranked by the total revenue of their movies.",
    _RANK,
    "string director: Name of the director.",
    _figures("of the director", f"movies total_revenue_musd mean_rating {_COVERAGE}"),
)
GENRES = declare(
    "gold/genres",
    "Genres with means, the median revenue, and the spread of return on investment.",
    "string genre: Name of the genre.",
    _figures(
        "of the genre",
        "movies mean_rating mean_revenue_musd mean_popularity median_roi roi_p25 roi_p75 "
        f"{_COVERAGE} share_profitable median_revenue_musd",
    ),
)
YEARS = declare(
    "gold/years",
    f"Release years with sums, means and medians of money, also in dollars of {REAL_BASE_YEAR}.",
    pick(SILVER_MOVIES, "release_year"),
    _figures(
        "of the year",
        "movies total_revenue_musd mean_revenue_musd mean_budget_musd mean_profit_musd "
        f"{_COVERAGE} share_profitable",
    ),
    "double price_index: Price index (US CPI-U) of the year; null if the index does not cover it.",
    _REAL_YEAR,
    _figures(
        "of the year",
        "movies_with_real_revenue total_revenue_real_musd mean_revenue_real_musd mean_budget_real_musd "
        "median_revenue_musd median_budget_musd",
    ),
)
# Plots draw these movies as points, and the dashboard filters them.
MOVIE_SAMPLE = declare(
    "gold/movie_sample",
    f"At most {MOVIE_SAMPLE_ROWS:,} movies, chosen by a hash of their ids.",
    pick(
        SILVER_MOVIES,
        "id title release_year genres belongs_to_collection director budget_musd revenue_musd profit_musd "
        "roi vote_count vote_average popularity runtime original_language",
    ),
)
DECADES = declare(
    "gold/decades",
    f"Decades of release, with money also in dollars of {REAL_BASE_YEAR}.",
    "integer decade: First year of the decade.",
    _figures("of the decade", _GROUP),
    _REAL_YEAR,
    _figures(
        "of the decade",
        "movies_with_real_revenue total_revenue_real_musd mean_revenue_real_musd median_revenue_real_musd "
        "mean_budget_real_musd",
    ),
)
LANGUAGES = declare(
    "gold/languages",
    "Original languages by TMDB's code, the one with most movies first.",
    "string language: TMDB's code of the original language.",
    _figures("of the language", _GROUP),
)
COMPANIES = declare(
    "gold/companies",
    f"The first {LISTED_ROWS:,} production companies by total revenue.",
    _RANK,
    "string company: Name of the production company.",
    _figures("of the company", _GROUP),
)
COUNTRIES = declare(
    "gold/countries",
    "Production countries, the one with most movies first.",
    "string country: Name of the production country.",
    _figures("of the country", _GROUP),
)
ACTORS = declare(
    "gold/actors",
    f"The first {LISTED_ROWS:,} actors by the total revenue of the movies that have them among the first "
    f"{TOP_BILLED} names of their casts.",
    _RANK,
    "string actor: Name of the actor.",
    _figures("of the actor", _GROUP),
)
RELEASE_MONTHS = declare(
    "gold/release_months",
    "Months of release over all years, with medians beside means.",
    "integer month: Month, 1 to 12.",
    _figures("of the month", _GROUP),
    _figures("of the month", "movies_on_first_day"),
)
BUDGET_TIERS = declare(
    "gold/budget_tiers",
    "Budgets under 1, 10, 50 and 100 MUSD and above, each with the spread of return on investment.",
    """
    integer tier: Number of the tier, from 1 for the smallest budgets.
    double budget_from_musd: Smallest budget of the tier, in millions of dollars.
    double budget_below_musd: Budget that the tier ends before, in millions of dollars; null for the last.
    """,
    _figures("of the tier", _GROUP),
    _figures("of the tier", "roi_p25 roi_p75"),
)
SEQUELS = declare(
    "gold/sequels",
    f"The first {LISTED_ROWS:,} movies by revenue that follow another of their collection, beside that one.",
    _RANK,
    """
    string collection: Name of the collection at TMDB.
    integer part: Place of the movie in its collection by release date, then id, from 1.
    """,
    pick(SILVER_MOVIES, "id title release_date"),
    """
    long predecessor_id: TMDB's id of the movie before it in the collection.
    string predecessor_title: Title of the movie before it.
    date predecessor_release_date: Day of the first release of the movie before it.
    """,
    pick(SILVER_MOVIES, "budget_musd"),
    "double predecessor_budget_musd: Budget of the movie before it, in millions of dollars.",
    pick(SILVER_MOVIES, "revenue_musd"),
    "double predecessor_revenue_musd: Revenue of the movie before it, in millions of dollars.",
    pick(SILVER_MOVIES, "vote_average"),
    """
    double predecessor_vote_average: Mean of the votes of the movie before it.
    double budget_ratio: Budget of the movie divided by that of the one before it.
    double revenue_ratio: Revenue of the movie divided by that of the one before it.
    double rating_difference: `vote_average` of the movie minus that of the one before it.
    """,
)
DIRECTOR_PAIRS = declare(
    "gold/director_pairs",
    f"The first {LISTED_ROWS:,} pairs of co-directors (a movie's first {PAIRED_DIRECTORS}) by movies "
    f"together, {MINIMUM_TOGETHER} or more, then total revenue.",
    _RANK,
    """
    string director_a: Name of the pair that is first in the alphabet.
    string director_b: The other name of the pair.
    """,
    _figures("of the pair", _PAIR),
)
ACTOR_DIRECTOR_PAIRS = declare(
    "gold/actor_director_pairs",
    f"The first {LISTED_ROWS:,} pairs of an actor (a movie's first {TOP_BILLED} names) and a director by "
    f"movies together, {MINIMUM_TOGETHER} or more, then total revenue.",
    _RANK,
    """
    string actor: Name of the actor.
    string director: Name of the director.
    """,
    _figures("of the pair", _PAIR),
)
GENRE_PAIRS = declare(
    "gold/genre_pairs",
    f"Pairs of genres (a movie's first {PAIRED_GENRES}) by movies that list both, {MINIMUM_TOGETHER} or "
    f"more, the first {LISTED_ROWS:,}, with their lift.",
    _RANK,
    """
    string genre_a: Genre of the pair that is first in the alphabet.
    string genre_b: The other genre of the pair.
    """,
    _figures("of the pair", _PAIR),
    """
    long movies_a: Number of movies that list the first genre.
    long movies_b: Number of movies that list the other genre.
    long movies_with_genres: Number of movies that list any genre.
    double lift: How many times as many movies list both as would by chance: \
        `movies` / (`movies_a` · `movies_b` / `movies_with_genres`).
    """,
)
CORRELATIONS = declare(
    "gold/correlations",
    "Pearson's correlation of each two measures over the movies that have both; null if one is constant.",
    """
    string measure_a: Column of silver/movies.
    string measure_b: The other column of silver/movies.
    long movies: Number of movies that have both measures.
    double pearson: Pearson's correlation of the values as they are.
    """,
)
OUTLIERS = declare(
    "gold/outliers",
    f"Movies whose revenue or return lies more than {FENCE_IQR} quartile ranges outside of the quartiles, on "
    f"a logarithmic scale; of each measure and side the {LISTED_ROWS:,} farthest, ties by id.",
    """
    string measure: What the movie is an outlier by: `revenue_musd` or `roi`.
    string side: `low` or `high`.
    integer rank: Place of the movie in its measure and side, from 1 for the farthest.
    """,
    pick(SILVER_MOVIES, "id title release_year"),
    f"""
    double value: Value of the measure.
    double low_fence: Value below which a movie is an outlier: 10 to the power of p25 - {FENCE_IQR}·IQR of \
        the logarithms.
    double high_fence: Value above which a movie is an outlier: 10 to the power of p75 + {FENCE_IQR}·IQR of \
        the logarithms.
    double times_beyond_fence: Factor by which the value lies beyond its fence.
    """,
    pick(SILVER_MOVIES, "budget_musd revenue_musd roi"),
    """
    long movies_measured: Number of movies whose measure is above 0.
    long movies_outside: Number of outliers of the measure on this side, listed or not.
    """,
)
WEIGHTED_RATINGS = declare(
    "gold/weighted_ratings",
    f"The first {WEIGHTED_PLACES} movies by v/(v+m)·R + m/(v+m)·C, where m is the votes' "
    f"{PRIOR_VOTES_QUANTILE} quantile and C the mean rating, of all movies with votes.",
    _RANK,
    pick(SILVER_MOVIES, "id title release_year"),
    """
    double weighted_rating: v/(v+m)·R + m/(v+m)·C, with v `vote_count`, R `vote_average`, m `prior_votes` \
        and C `prior_rating`.
    """,
    pick(SILVER_MOVIES, "vote_average vote_count"),
    f"""
    double prior_votes: The {PRIOR_VOTES_QUANTILE} quantile of votes over all movies with votes.
    double prior_rating: Mean rating over all movies with votes.
    """,
)
REAL_REVENUES = declare(
    "gold/real_revenues",
    f"The {REAL_PLACES} movies with the highest revenue in dollars of {REAL_BASE_YEAR} (US CPI-U), "
    "ties by id.",
    _RANK,
    pick(SILVER_MOVIES, "id title release_year revenue_musd"),
    "double revenue_real_musd: Revenue in millions of real dollars.",
    _REAL_YEAR,
    _figures("in silver", "movies_with_revenue movies_with_real_revenue"),
)
PRIOR_POWER = declare(
    "gold/prior_power",
    f"At most {PRIOR_POWER_ROWS:,} movies with a revenue, chosen by a hash of their ids, beside the revenues "
    f"of earlier released films of their directors and of their first {TOP_BILLED} names.",
    pick(SILVER_MOVIES, "id title release_date revenue_musd"),
    f"""
    long directors_prior_movies: Number of earlier released films with a revenue by one of the directors, \
        each film once.
    double directors_prior_mean_revenue_musd: Mean revenue of the directors' earlier films, in millions of \
        dollars; null if there are none.
    double directors_prior_median_revenue_musd: Median revenue of the directors' earlier films, in millions \
        of dollars; null if there are none.
    long actors_prior_movies: Number of earlier released films with a revenue that have one of the first \
        {TOP_BILLED} names among their own first {TOP_BILLED}, each film once.
    double actors_prior_mean_revenue_musd: Mean revenue of the actors' earlier films, in millions of \
        dollars; null if there are none.
    double actors_prior_median_revenue_musd: Median revenue of the actors' earlier films, in millions of \
        dollars; null if there are none.
    """,
)
SUSPICIOUS_MONEY = declare(
    "gold/suspicious_money",
    f"Movies whose budget or revenue is likely wrong, by reason, the {LISTED_ROWS:,} with most votes of "
    "each; they stay in all other tables.",
    """
    string reason: Why the money is likely wrong.
    integer rank: Place of the movie in its reason, from 1.
    """,
    pick(SILVER_MOVIES, "id title release_year"),
    """
    double budget_usd: Budget in dollars.
    double revenue_usd: Revenue in dollars.
    """,
    pick(SILVER_MOVIES, "roi vote_count"),
    "long movies_with_reason: Number of movies that the reason holds for, listed or not.",
)

# In the order of their declarations.
GOLD = tuple(
    table for table in list(globals().values()) if isinstance(table, Table) and table.name.startswith("gold/")
)
