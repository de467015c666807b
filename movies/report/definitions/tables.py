"""What a row of each table is."""

from __future__ import annotations

TABLES: dict[str, str] = {
    "raw/movies": (
        "Fetched payloads as TMDB sent them, one a row; append-only but for those dropped after six months."
    ),
    "raw/fetch_failures": (
        "Movies that could not be had in a run, with the reason; a later row of raw/movies supersedes it."
    ),
    "raw/imdb_ratings": "Ratings of all titles in IMDb's file, one a row; only where IMDB_RATINGS is set.",
    "silver/movies": "Released movies, the latest payload of each.",
    "silver/quarantine": "Payloads that silver refused, with the reason and the field.",
    "silver/filtered": "Movies left out of silver though their payload is fine, with the reason.",
    "gold/overview": (
        "Movies in silver, their mean budget, revenue and rating, and their median rating, nulls passed over."
    ),
    "gold/movie_rankings": "The five first movies of every ranking, ties by id.",
    "gold/movie_searches": "The hits of every search by rank.",
    "gold/franchise_comparison": "Movies that belong to a collection beside those that belong to none.",
    "gold/franchises": "Collections with two movies or more, ranked by total revenue.",
    "gold/directors": "Directors ranked by the total revenue of their movies.",
    "gold/genres": "Genres with means, the median revenue, and the spread of return on investment.",
    "gold/years": "Release years with money in total, on average and in the middle, also in dollars of 2025.",
    "gold/movie_sample": "At most 5000 movies, chosen by a hash of their ids.",
    "gold/decades": "Decades of release, money also in dollars of 2025.",
    "gold/languages": "Original languages by TMDB's code, most movies first.",
    "gold/companies": "The first 1,000 production companies by total revenue.",
    "gold/countries": "Production countries, most movies first.",
    "gold/actors": (
        "The first 1,000 actors by the total revenue of movies whose first 5 names they are among."
    ),
    "gold/release_months": "Months of release over all years, medians beside means.",
    "gold/budget_tiers": (
        "Budgets under 1, 10, 50 and 100 MUSD and above, each with the spread of return on investment."
    ),
    "gold/sequels": (
        "The first 1,000 movies by revenue that follow another of their collection, beside that one."
    ),
    "gold/director_pairs": (
        "The first 1,000 pairs of co-directors (a movie's first 10) by movies together, 2 or more, then "
        "total revenue."
    ),
    "gold/actor_director_pairs": (
        "The first 1,000 pairs of an actor (a movie's first 5 names) and a director by movies together, "
        "2 or more, then total revenue."
    ),
    "gold/genre_pairs": (
        "Pairs of genres (a movie's first 20) by movies that list both, 2 or more, the first 1,000, with "
        "their lift."
    ),
    "gold/correlations": (
        "Pearson's correlation of each two measures over the movies that have both; null where one is "
        "constant."
    ),
    "gold/outliers": (
        "Movies whose revenue or return lies more than 1.5 quartile ranges outside of the quartiles, on "
        "a logarithmic scale; of each measure and side the 1,000 farthest, ties by id."
    ),
    "gold/weighted_ratings": (
        "The first 250 movies by v/(v+m)·R + m/(v+m)·C, where m is the votes' 0.9 quantile and C the "
        "mean rating, of all movies with votes."
    ),
    "gold/real_revenues": "The 100 movies of the highest revenue in dollars of 2025 (US CPI-U), ties by id.",
    "gold/prior_power": (
        "At most 5,000 movies with a revenue, chosen by a hash of their ids, beside the revenues of "
        "earlier released films of their directors and of their first 5 names."
    ),
    "gold/suspicious_money": (
        "Movies whose budget or revenue is likely wrong, by reason, the 1,000 with most votes of each; "
        "they stay in all other tables."
    ),
    "gold/data_quality": "Checks of silver: what each found, what is allowed, and ids of movies at fault.",
    "forecast/scores": "Ways to forecast revenue, and how well each did on held-back movies.",
    "forecast/predictions": "Movies with a budget, of the held-back years or later, and what they may earn.",
    "forecast/drivers": "What forecasts go by, and how much is lost without it.",
    "meta/publications": "The current result of each stage: what it read, what it wrote, by which code.",
}
