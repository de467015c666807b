"""Ratings weighted by numbers of votes."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from movies.lake import gold_tables as tables
from spark.kpis.kpi import Kpi, list_first


def rank_weighted_ratings(movies: DataFrame) -> DataFrame:
    """Return the first movies by weighted rating, ties by more votes, then id.

    It is v/(v+m)·R + m/(v+m)·C, of a movie's votes v and rating R, m `prior_votes` and C `prior_rating`.
    """
    rated = movies.select("id", "title", "release_year", "vote_average", "vote_count").filter(
        "vote_average is not null and vote_count > 0"
    )
    prior = rated.agg(
        F.percentile("vote_count", F.lit(tables.PRIOR_VOTES_QUANTILE)).alias("prior_votes"),
        F.avg("vote_average").alias("prior_rating"),
    )
    votes, rating = F.col("vote_count"), F.col("vote_average")
    m, c = F.col("prior_votes"), F.col("prior_rating")
    weighted = rated.crossJoin(prior).withColumn(
        "weighted_rating", votes / (votes + m) * rating + m / (votes + m) * c
    )
    order = (F.col("weighted_rating").desc(), votes.desc(), F.col("id"))
    return list_first(weighted, *order, listed=tables.WEIGHTED_PLACES).select(
        *tables.WEIGHTED_RATINGS.columns
    )


WEIGHTED_RATINGS = Kpi(tables.WEIGHTED_RATINGS, rank_weighted_ratings)
