"""Movies whose revenue or return is far from the others'."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from movies.lake import gold_tables as tables
from spark.kpis.kpi import Kpi, add_rank

# Fences are on logarithms, because money spreads by factors.
MEASURES = ("revenue_musd", "roi")


def find_outliers(movies: DataFrame) -> DataFrame:
    """Return the movies outside of the fences of each measure, farthest first, ties by id."""
    found = reduce(DataFrame.unionByName, (_outliers_of(movies, nth) for nth in range(len(MEASURES))))
    return found.orderBy("nth", "side", "rank").select(*tables.OUTLIERS.columns)


def _outliers_of(movies: DataFrame, nth: int) -> DataFrame:
    measure = MEASURES[nth]
    shown = movies.select("id", "title", "release_year", "budget_musd", "revenue_musd", "roi")
    known = shown.filter(F.col(measure) > 0).withColumn("log", F.log10(measure))
    quartiles = known.agg(
        F.percentile("log", F.lit(0.25)).alias("p25"),
        F.percentile("log", F.lit(0.75)).alias("p75"),
        F.count("log").alias("movies_measured"),
    )
    iqr = F.col("p75") - F.col("p25")
    low, high = F.col("p25") - tables.FENCE_IQR * iqr, F.col("p75") + tables.FENCE_IQR * iqr
    outside = (
        known.crossJoin(quartiles.withColumns({"low": low, "high": high}))
        .withColumn(
            "side", F.when(F.col("log") < F.col("low"), "low").when(F.col("log") > F.col("high"), "high")
        )
        .filter("side is not null")
        .withColumn("beyond", F.greatest(F.col("low") - F.col("log"), F.col("log") - F.col("high")))
    )
    counts = outside.groupBy("side").agg(F.count("id").alias("movies_outside"))
    ranked = add_rank(outside, F.col("beyond").desc(), F.col("id"), within=("side",))
    listed = ranked.filter(F.col("rank") <= tables.LISTED_ROWS).join(counts, "side")
    return listed.withColumns(
        {
            "nth": F.lit(nth),
            "measure": F.lit(measure),
            "value": F.col(measure),
            "low_fence": _power_of_ten("low"),
            "high_fence": _power_of_ten("high"),
            "times_beyond_fence": _power_of_ten("beyond"),
        }
    )


def _power_of_ten(exponent: str) -> Column:
    return F.pow(F.lit(10.0), F.col(exponent))


OUTLIERS = Kpi(tables.OUTLIERS, find_outliers)
