"""Money in dollars of one base year."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from movies.lake import gold_tables as tables
from spark.kpis.kpi import Kpi, list_first
from spark.kpis.price_index import ANNUAL_AVERAGES, FIRST_YEAR


def price_index(year: str) -> Column:
    """Return the index of a year, or null if the index does not cover it."""
    averages = F.array(*(F.lit(average) for average in ANNUAL_AVERAGES))
    # A negative position is null on one engine, and counts from the end on the other.
    return F.when(F.col(year) >= FIRST_YEAR, F.get(averages, F.col(year) - FIRST_YEAR))


def add_real_money(movies: DataFrame, *columns: str) -> DataFrame:
    """Add a `…_real_musd` for each `…_musd`, by the index of the release year."""
    factor = F.lit(ANNUAL_AVERAGES[tables.REAL_BASE_YEAR - FIRST_YEAR]) / price_index("release_year")
    return movies.withColumns(
        {f"{column.removesuffix('_musd')}_real_musd": F.col(column) * factor for column in columns}
    )


def rank_real_revenues(movies: DataFrame) -> DataFrame:
    """Return the movies of the highest revenue in real dollars, ties by id."""
    real = add_real_money(movies.select("id", "title", "release_year", "revenue_musd"), "revenue_musd")
    covered = real.agg(
        F.count("revenue_musd").alias("movies_with_revenue"),
        F.count("revenue_real_musd").alias("movies_with_real_revenue"),
    )
    known = real.filter("revenue_real_musd is not null")
    first = list_first(known, F.col("revenue_real_musd").desc(), F.col("id"), listed=tables.REAL_PLACES)
    complete = first.crossJoin(covered).withColumn("real_base_year", F.lit(tables.REAL_BASE_YEAR))
    return complete.orderBy("rank").select(*tables.REAL_REVENUES.columns)


REAL_REVENUES = Kpi(tables.REAL_REVENUES, rank_real_revenues)
