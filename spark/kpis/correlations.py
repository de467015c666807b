"""Correlations of measures of movies."""

from __future__ import annotations

from itertools import combinations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from movies.lake import gold_tables as tables
from spark.kpis.kpi import Kpi

MEASURES = (
    "budget_musd", "revenue_musd", "profit_musd", "roi",
    "vote_average", "vote_count", "popularity", "runtime",
)  # fmt: skip
MINIMUM_MOVIES = 2


def correlate(movies: DataFrame) -> DataFrame:
    """Return each pair of measures once, in their order, over the movies that have both."""
    pairs = list(combinations(MEASURES, 2))
    # A row for each movie and pair, because Apache Spark cannot compile 28 columns in one aggregation.
    both = F.array(
        *(
            F.struct(F.lit(nth).alias("nth"), F.col(one).alias("a"), F.col(other).alias("b"))
            for nth, (one, other) in enumerate(pairs)
        )
    )
    measured = movies.select(*(F.col(measure).cast("double").alias(measure) for measure in MEASURES))
    rows = measured.select(F.explode(both).alias("it")).select("it.*").dropna()
    names = {
        f"measure_{side}": F.element_at(F.array(*map(F.lit, measures)), F.col("nth") + 1)
        for side, measures in zip("ab", zip(*pairs, strict=True), strict=True)
    }
    return (
        rows.groupBy("nth")
        .agg(F.count("nth").alias("movies"), _pearson().alias("pearson"))
        .filter(F.col("movies") >= MINIMUM_MOVIES)
        .orderBy("nth")
        .withColumns(names)
        .select(*tables.CORRELATIONS.columns)
    )


def _pearson() -> Column:
    # F.corr fails on Apache Spark with a division by zero if a measure is the same for all movies.
    spread = F.stddev_pop("a") * F.stddev_pop("b")
    pearson = F.covar_pop("a", "b") / F.nullif(spread, F.lit(0.0))
    # Squares of absurd figures are infinite, and their quotient is NaN.
    return F.when(~F.isnan(pearson), pearson)


CORRELATIONS = Kpi(tables.CORRELATIONS, correlate)
