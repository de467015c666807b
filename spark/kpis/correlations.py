"""How measures of a movie go together."""

from __future__ import annotations

from itertools import combinations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lake import gold_tables as tables
from spark.kpis.kpi import Kpi

MEASURES = (
    "budget_musd", "revenue_musd", "profit_musd", "roi",
    "vote_average", "vote_count", "popularity", "runtime",
)  # fmt: skip
MINIMUM_MOVIES = 2


def correlate(movies: DataFrame) -> DataFrame:
    """Give each pair of measures once, in their order, over the movies that have both."""
    measured = movies.select(*(F.col(measure).cast("double").alias(measure) for measure in MEASURES))
    pairs = list(combinations(MEASURES, 2))
    figures = measured.agg(*(_correlation(*pair).alias("_".join(pair)) for pair in pairs))
    rows = F.array(
        *(
            F.struct(
                F.lit(nth).alias("nth"),
                F.lit(pair[0]).alias("measure_a"),
                F.lit(pair[1]).alias("measure_b"),
                F.col("_".join(pair))["movies"].alias("movies"),
                F.col("_".join(pair))["pearson"].alias("pearson"),
            )
            for nth, pair in enumerate(pairs)
        )
    )
    long_form = figures.select(F.explode(rows).alias("it")).select("it.*")
    return (
        long_form.filter(F.col("movies") >= MINIMUM_MOVIES)
        .orderBy("nth")
        .select(*tables.CORRELATIONS.columns)
    )


def _correlation(one: str, other: str) -> Column:
    # Not F.corr: where a measure is the same for all movies, Apache Spark divides by zero there and fails.
    spread = F.stddev_pop(_where_known(one, other)) * F.stddev_pop(_where_known(other, one))
    pearson = F.covar_pop(one, other) / F.nullif(spread, F.lit(0.0))
    # Squares of absurd figures are infinite, and their quotient is no number.
    finite = F.when(~F.isnan(pearson), pearson)
    return F.struct(F.count(_where_known(one, other)).alias("movies"), finite.alias("pearson"))


def _where_known(one: str, other: str) -> Column:
    return F.when(F.col(other).isNotNull(), F.col(one))


CORRELATIONS = Kpi(
    tables.CORRELATIONS,
    "Pearson's correlation of each two measures over the movies that have both; null where one is constant.",
    correlate,
)
