"""Revenues of earlier films of a movie's people."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from movies.lake import gold_tables as tables
from spark.kpis.actors import explode_top_billed
from spark.kpis.kpi import Kpi, explode_names


def measure_prior_power(movies: DataFrame) -> DataFrame:
    """Return sampled movies with the revenues of films that their people had released earlier, by id.

    Earlier films have a release date before the movie's. A film counts once for a movie, even if they share
    several people.
    """
    known = movies.filter("revenue_musd is not null and release_date is not null").select(
        "id", "title", "release_date", "revenue_musd", "director", "cast"
    )
    chosen = known.orderBy(F.md5(F.col("id").cast("string"))).limit(tables.PRIOR_POWER_ROWS)
    directed = explode_names(known.drop("cast"), "director", "person")
    billed = explode_top_billed(known.drop("director")).withColumnRenamed("actor", "person")
    return (
        chosen.join(_prior(chosen, directed, "directors"), "id", "left")
        .join(_prior(chosen, billed, "actors"), "id", "left")
        .fillna(0, ["directors_prior_movies", "actors_prior_movies"])
        .orderBy("id")
        .select(*tables.PRIOR_POWER.columns)
    )


def _prior(chosen: DataFrame, credits: DataFrame, role: str) -> DataFrame:
    theirs = credits.join(chosen.select("id"), "id", "left_semi").select("id", "person", "release_date")
    films = credits.select(
        "person",
        F.col("id").alias("film"),
        F.col("release_date").alias("released"),
        F.col("revenue_musd").alias("earned"),
    )
    earlier = theirs.join(films, "person").filter("released < release_date")
    return (
        earlier.select("id", "film", "earned")
        .distinct()
        .groupBy("id")
        .agg(
            F.count("film").alias(f"{role}_prior_movies"),
            F.avg("earned").alias(f"{role}_prior_mean_revenue_musd"),
            F.median("earned").alias(f"{role}_prior_median_revenue_musd"),
        )
    )


PRIOR_POWER = Kpi(tables.PRIOR_POWER, measure_prior_power)
