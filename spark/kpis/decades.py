"""Decades of release."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from movies.lake import gold_tables as tables
from spark.kpis.figures import FIGURE_COLUMNS, group_figures
from spark.kpis.kpi import Kpi
from spark.kpis.real_money import add_real_money


def summarise_decades(movies: DataFrame) -> DataFrame:
    """Return every decade that has a movie, in ascending order, with nominal and real money."""
    decade = (F.col("release_year") - F.col("release_year") % 10).alias("decade")
    return (
        add_real_money(movies.select("release_year", *FIGURE_COLUMNS), "budget_musd", "revenue_musd")
        .groupBy(decade)
        .agg(
            *group_figures(),
            F.lit(tables.REAL_BASE_YEAR).alias("real_base_year"),
            F.count("revenue_real_musd").alias("movies_with_real_revenue"),
            F.sum("revenue_real_musd").alias("total_revenue_real_musd"),
            F.avg("revenue_real_musd").alias("mean_revenue_real_musd"),
            F.median("revenue_real_musd").alias("median_revenue_real_musd"),
            F.avg("budget_real_musd").alias("mean_budget_real_musd"),
        )
        .orderBy("decade")
    )


DECADES = Kpi(tables.DECADES, summarise_decades)
