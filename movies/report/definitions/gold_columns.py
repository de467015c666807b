"""What the columns of gold mean, as docs/kpis.md has it."""

from __future__ import annotations

# Several columns of one meaning stand together.
GOLD_COLUMNS: dict[tuple[str, ...], str] = {
    ("movies",): "movies of the row; in `gold/correlations`, those that have both measures",
    (
        "movies_with_budget",
        "movies_with_revenue",
        "movies_with_roi",
    ): "how many of them have a budget, a revenue, both; in `gold/real_revenues`, of all movies",
    ("movies_with_rating",): "how many have a rating: those without any vote have none",
    ("movies_with_real_revenue",): "how many have a revenue and a release year that the price index covers",
    (
        "total_budget_musd",
        "total_revenue_musd",
    ): "sums, null counted as 0",
    (
        "mean_budget_musd",
        "mean_revenue_musd",
        "mean_profit_musd",
        "mean_rating",
        "mean_popularity",
    ): "means over the movies that have the figure; the rating is TMDB's `vote_average`",
    (
        "median_budget_musd",
        "median_revenue_musd",
        "median_roi",
        "median_rating",
    ): "exact medians over the movies that have the figure",
    (
        "roi_p25",
        "roi_p75",
    ): "quartiles of the return, interpolated linearly",
    ("share_profitable",): (
        "movies whose revenue is over their budget, among those with both figures (0 to 1); null "
        "where there are none"
    ),
    (
        "total_revenue_real_musd",
        "mean_revenue_real_musd",
        "median_revenue_real_musd",
        "mean_budget_real_musd",
    ): (
        "the same in real dollars, over the movies whose release year the price index covers; null "
        "where there are none"
    ),
    ("revenue_real_musd",): "a movie's revenue in real dollars",
    ("price_index",): "the price index of the release year; null outside of 1913 to 2025",
    ("real_base_year",): "the year whose dollars real money is in",
    ("rank",): (
        "the place of the row in the table's order, in its ranking, its search, its reason, or its "
        "measure and side, from 1"
    ),
    (
        "ranking",
        "search",
        "reason",
    ): "which ranking, search or reason the row belongs to, see below",
    ("value",): "what a ranking or an outlier is measured by: a movie's figure",
    ("segment",): "`Franchise` (movies of a collection) or `Standalone`",
    (
        "id",
        "title",
        "release_date",
        "release_year",
        "runtime",
        "genres",
        "belongs_to_collection",
    ): "of a movie, as in `silver/movies`",
    (
        "budget_musd",
        "revenue_musd",
        "profit_musd",
        "roi",
        "vote_count",
        "vote_average",
        "popularity",
    ): "of a movie, as in `silver/movies`: millions of dollars of the release year, revenue / budget",
    (
        "budget_usd",
        "revenue_usd",
    ): "of a movie, in dollars",
    (
        "collection",
        "director",
        "actor",
        "genre",
        "company",
        "country",
    ): (
        "a name as TMDB writes it; in `gold/movie_searches` and `gold/movie_sample`, `director` is "
        "a list as in silver"
    ),
    ("language", "original_language"): "TMDB's code of the original language",
    ("decade",): "the first year of the decade",
    ("month",): "1 to 12",
    ("movies_on_first_day",): (
        "how many have the first day of the month, TMDB's usual stand-in for an unknown day: they "
        "swell January"
    ),
    (
        "tier",
        "budget_from_musd",
        "budget_below_musd",
    ): "the bracket from 1, the budget it begins with, and the one it ends before (null for the last)",
    ("part",): "the movie's place in its collection by release date, then id",
    (
        "predecessor_id",
        "predecessor_title",
        "predecessor_release_date",
        "predecessor_budget_musd",
        "predecessor_revenue_musd",
        "predecessor_vote_average",
    ): "of the movie that came before it in the collection",
    (
        "budget_ratio",
        "revenue_ratio",
    ): "the movie's figure / its predecessor's",
    ("rating_difference",): "the movie's `vote_average` − its predecessor's",  # noqa: RUF001
    (
        "director_a",
        "director_b",
        "genre_a",
        "genre_b",
    ): "the two names of a pair, each pair once, in alphabetical order",
    (
        "movies_a",
        "movies_b",
        "movies_with_genres",
    ): "how many movies list the one genre, the other, any",
    ("lift",): (
        "`movies` / (`movies_a` · `movies_b` / `movies_with_genres`): how many times as many movies"
        " list both as would by chance"
    ),
    (
        "measure_a",
        "measure_b",
        "pearson",
    ): "two columns of silver, and Pearson's correlation of their values as they are",
    (
        "measure",
        "side",
    ): "`revenue_musd` or `roi`; `low` or `high`",
    (
        "low_fence",
        "high_fence",
    ): (
        "the values beyond which a movie is an outlier: 10 to the power of p25 − 1.5·IQR and of p75"  # noqa: RUF001
        " + 1.5·IQR of the logarithms"
    ),
    ("times_beyond_fence",): "by what factor the value lies beyond its fence",
    (
        "movies_measured",
        "movies_outside",
    ): ("how many movies have the measure above 0; how many of them lie outside on this side, listed or not"),
    ("weighted_rating",): (
        "v/(v+m)·R + m/(v+m)·C, with the movie's votes v and rating R, m `prior_votes` and C `prior_rating`"
    ),
    (
        "prior_votes",
        "prior_rating",
    ): "the 0.9 quantile of votes and the mean rating, of all movies with votes",
    (
        "directors_prior_movies",
        "actors_prior_movies",
    ): (
        "films with a revenue that one of the movie's directors directed, or one of its first five "
        "names was among the first five names of, released strictly before the movie; each film "
        "once"
    ),
    (
        "directors_prior_mean_revenue_musd",
        "directors_prior_median_revenue_musd",
        "actors_prior_mean_revenue_musd",
        "actors_prior_median_revenue_musd",
    ): "mean and median revenue of those films; null where there are none",
    ("movies_with_reason",): "how many movies the reason holds for, listed or not",
}
