"""The gold tables: names and columns (contract, section 3; what they mean is in docs/kpis.md)."""

from __future__ import annotations

from movies.lake.table import declare

# How many movies the money beside it comes from: most have none of the figures.
_COVERAGE = "long: movies_with_budget movies_with_revenue movies_with_roi"
# What tables of groups tell of each group.
_GROUP_FIGURES = (
    "long: movies movies_with_budget movies_with_revenue movies_with_roi",
    "double: total_revenue_musd mean_revenue_musd median_revenue_musd mean_budget_musd median_budget_musd",
    "double: median_roi share_profitable mean_rating",
)
# What tables of pairs tell of each pair.
_PAIR_FIGURES = (
    "long: movies movies_with_budget movies_with_revenue movies_with_roi",
    "double: total_revenue_musd mean_revenue_musd median_roi share_profitable mean_rating",
)
OVERVIEW = declare(
    "gold/overview",
    "long: movies",
    "double: mean_budget_musd mean_revenue_musd mean_rating",
    _COVERAGE,
    "double: share_profitable median_rating",
)
MOVIE_RANKINGS = declare(
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
MOVIE_SEARCHES = declare(
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
FRANCHISE_COMPARISON = declare(
    "gold/franchise_comparison",
    "string: segment",
    "long: movies",
    "double: mean_revenue_musd median_roi mean_budget_musd mean_popularity mean_rating",
    _COVERAGE,
    "double: median_revenue_musd median_budget_musd",
    "long: movies_with_rating",
)
FRANCHISES = declare(
    "gold/franchises",
    "integer: rank",
    "string: collection",
    "long: movies",
    "double: total_budget_musd mean_budget_musd total_revenue_musd mean_revenue_musd mean_rating",
    _COVERAGE,
)
DIRECTORS = declare(
    "gold/directors",
    "integer: rank",
    "string: director",
    "long: movies",
    "double: total_revenue_musd mean_rating",
    _COVERAGE,
)
GENRES = declare(
    "gold/genres",
    "string: genre",
    "long: movies",
    "double: mean_rating mean_revenue_musd mean_popularity median_roi roi_p25 roi_p75",
    _COVERAGE,
    "double: share_profitable median_revenue_musd",
)
YEARS = declare(
    "gold/years",
    "integer: release_year",
    "long: movies",
    "double: total_revenue_musd mean_revenue_musd mean_budget_musd mean_profit_musd",
    _COVERAGE,
    "double: share_profitable price_index",
    "integer: real_base_year",
    "long: movies_with_real_revenue",
    "double: total_revenue_real_musd mean_revenue_real_musd mean_budget_real_musd",
    "double: median_revenue_musd median_budget_musd",
)
# What plots draw as points and the dashboard filters: at most MOVIE_SAMPLE_ROWS movies, by a hash of the id.
MOVIE_SAMPLE = declare(
    "gold/movie_sample",
    "long: id",
    "string: title",
    "integer: release_year",
    "string: genres belongs_to_collection director",
    "double: budget_musd revenue_musd profit_musd roi",
    "long: vote_count",
    "double: vote_average popularity",
    "integer: runtime",
    "string: original_language",
)
MOVIE_SAMPLE_ROWS = 5_000
DECADES = declare(
    "gold/decades",
    "integer: decade",
    *_GROUP_FIGURES,
    "integer: real_base_year",
    "long: movies_with_real_revenue",
    "double: total_revenue_real_musd mean_revenue_real_musd median_revenue_real_musd mean_budget_real_musd",
)
LANGUAGES = declare("gold/languages", "string: language", *_GROUP_FIGURES)
COMPANIES = declare("gold/companies", "integer: rank", "string: company", *_GROUP_FIGURES)
COUNTRIES = declare("gold/countries", "string: country", *_GROUP_FIGURES)
ACTORS = declare("gold/actors", "integer: rank", "string: actor", *_GROUP_FIGURES)
RELEASE_MONTHS = declare(
    "gold/release_months", "integer: month", *_GROUP_FIGURES, "long: movies_on_first_day"
)
BUDGET_TIERS = declare(
    "gold/budget_tiers",
    "integer: tier",
    "double: budget_from_musd budget_below_musd",
    *_GROUP_FIGURES,
    "double: roi_p25 roi_p75",
)
SEQUELS = declare(
    "gold/sequels",
    "integer: rank",
    "string: collection",
    "integer: part",
    "long: id",
    "string: title",
    "date: release_date",
    "long: predecessor_id",
    "string: predecessor_title",
    "date: predecessor_release_date",
    "double: budget_musd predecessor_budget_musd revenue_musd predecessor_revenue_musd",
    "double: vote_average predecessor_vote_average budget_ratio revenue_ratio rating_difference",
)
DIRECTOR_PAIRS = declare(
    "gold/director_pairs", "integer: rank", "string: director_a director_b", *_PAIR_FIGURES
)
ACTOR_DIRECTOR_PAIRS = declare(
    "gold/actor_director_pairs", "integer: rank", "string: actor director", *_PAIR_FIGURES
)
GENRE_PAIRS = declare(
    "gold/genre_pairs",
    "integer: rank",
    "string: genre_a genre_b",
    *_PAIR_FIGURES,
    "long: movies_a movies_b movies_with_genres",
    "double: lift",
)
CORRELATIONS = declare("gold/correlations", "string: measure_a measure_b", "long: movies", "double: pearson")
OUTLIERS = declare(
    "gold/outliers",
    "string: measure side",
    "integer: rank",
    "long: id",
    "string: title",
    "integer: release_year",
    "double: value low_fence high_fence times_beyond_fence budget_musd revenue_musd roi",
    "long: movies_measured movies_outside",
)
WEIGHTED_RATINGS = declare(
    "gold/weighted_ratings",
    "integer: rank",
    "long: id",
    "string: title",
    "integer: release_year",
    "double: weighted_rating vote_average",
    "long: vote_count",
    "double: prior_votes prior_rating",
)
REAL_REVENUES = declare(
    "gold/real_revenues",
    "integer: rank",
    "long: id",
    "string: title",
    "integer: release_year",
    "double: revenue_musd revenue_real_musd",
    "integer: real_base_year",
    "long: movies_with_revenue movies_with_real_revenue",
)
PRIOR_POWER = declare(
    "gold/prior_power",
    "long: id",
    "string: title",
    "date: release_date",
    "double: revenue_musd",
    "long: directors_prior_movies",
    "double: directors_prior_mean_revenue_musd directors_prior_median_revenue_musd",
    "long: actors_prior_movies",
    "double: actors_prior_mean_revenue_musd actors_prior_median_revenue_musd",
)
SUSPICIOUS_MONEY = declare(
    "gold/suspicious_money",
    "string: reason",
    "integer: rank",
    "long: id",
    "string: title",
    "integer: release_year",
    "double: budget_usd revenue_usd",
    "double: roi",
    "long: vote_count movies_with_reason",
)

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
    DECADES,
    LANGUAGES,
    COMPANIES,
    COUNTRIES,
    ACTORS,
    RELEASE_MONTHS,
    BUDGET_TIERS,
    SEQUELS,
    DIRECTOR_PAIRS,
    ACTOR_DIRECTOR_PAIRS,
    GENRE_PAIRS,
    CORRELATIONS,
    OUTLIERS,
    WEIGHTED_RATINGS,
    REAL_REVENUES,
    PRIOR_POWER,
    SUSPICIOUS_MONEY,
)
