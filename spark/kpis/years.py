"""Release years."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lake import tables
from spark.kpis.kpi import Kpi, total


def summarise_years(movies: DataFrame) -> DataFrame:
    """Give every release year that has a movie, in ascending order."""
    years = movies.groupBy("release_year").agg(
        F.count("id").alias("movies"),
        total("revenue_musd").alias("total_revenue_musd"),
        F.avg("revenue_musd").alias("mean_revenue_musd"),
        F.avg("budget_musd").alias("mean_budget_musd"),
        F.avg("profit_musd").alias("mean_profit_musd"),
    )
    return years.orderBy("release_year")


YEARS = Kpi(tables.YEARS, "Release years with money in total and on average.", summarise_years)
