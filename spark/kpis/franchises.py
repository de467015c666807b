"""Figures of each collection, and of all collections beside movies without one."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from movies.lake import gold_tables as tables
from spark.kpis.figures import coverage
from spark.kpis.kpi import Kpi, add_rank, in_dollars, total

MINIMUM_MOVIES = 2


def compare_segments(movies: DataFrame) -> DataFrame:
    """Return one row for movies of a collection and one for the others, even if there are no movies."""
    in_collection = F.col("belongs_to_collection")
    franchise = _segment(movies, "Franchise", in_collection.isNotNull())
    return franchise.unionByName(_segment(movies, "Standalone", in_collection.isNull())).orderBy("segment")


def _segment(movies: DataFrame, name: str, belongs: Column) -> DataFrame:
    figures = movies.filter(belongs).agg(
        F.count("id").alias("movies"),
        F.avg("revenue_musd").alias("mean_revenue_musd"),
        F.median("roi").alias("median_roi"),
        F.avg("budget_musd").alias("mean_budget_musd"),
        F.avg("popularity").alias("mean_popularity"),
        F.avg("vote_average").alias("mean_rating"),
        *coverage(),
        F.median("revenue_musd").alias("median_revenue_musd"),
        F.median("budget_musd").alias("median_budget_musd"),
        F.count("vote_average").alias("movies_with_rating"),
    )
    return figures.select(F.lit(name).alias("segment"), "*")


def rank_franchises(movies: DataFrame) -> DataFrame:
    """Return every collection with two movies or more by total revenue, then name."""
    franchises = (
        movies.filter("belongs_to_collection is not null")
        .groupBy(F.col("belongs_to_collection").alias("collection"))
        .agg(
            F.count("id").alias("movies"),
            total("budget_musd").alias("total_budget_musd"),
            F.avg("budget_musd").alias("mean_budget_musd"),
            total("revenue_musd").alias("total_revenue_musd"),
            F.avg("revenue_musd").alias("mean_revenue_musd"),
            F.avg("vote_average").alias("mean_rating"),
            *coverage(),
        )
        .filter(F.col("movies") >= MINIMUM_MOVIES)
    )
    ranked = add_rank(franchises, in_dollars("total_revenue_musd").desc(), F.col("collection"))
    return ranked.orderBy("rank").select(*tables.FRANCHISES.columns)


FRANCHISE_COMPARISON = Kpi(tables.FRANCHISE_COMPARISON, compare_segments)
FRANCHISES = Kpi(tables.FRANCHISES, rank_franchises)
