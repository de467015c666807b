"""Release years."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from movies.lake import gold_tables as tables
from spark.kpis.figures import FIGURE_COLUMNS, coverage, share_profitable
from spark.kpis.kpi import Kpi, total
from spark.kpis.real_money import add_real_money, price_index


def summarise_years(movies: DataFrame) -> DataFrame:
    """Return every release year that has a movie, in ascending order."""
    real = add_real_money(movies.select("release_year", *FIGURE_COLUMNS), "budget_musd", "revenue_musd")
    years = real.groupBy("release_year").agg(
        F.count(F.lit(1)).alias("movies"),
        total("revenue_musd").alias("total_revenue_musd"),
        F.avg("revenue_musd").alias("mean_revenue_musd"),
        F.avg("budget_musd").alias("mean_budget_musd"),
        F.avg("profit_musd").alias("mean_profit_musd"),
        *coverage(),
        share_profitable(),
        F.count("revenue_real_musd").alias("movies_with_real_revenue"),
        F.sum("revenue_real_musd").alias("total_revenue_real_musd"),
        F.avg("revenue_real_musd").alias("mean_revenue_real_musd"),
        F.avg("budget_real_musd").alias("mean_budget_real_musd"),
        F.median("revenue_musd").alias("median_revenue_musd"),
        F.median("budget_musd").alias("median_budget_musd"),
    )
    indexed = years.withColumns(
        {"price_index": price_index("release_year"), "real_base_year": F.lit(tables.REAL_BASE_YEAR)}
    )
    return indexed.orderBy("release_year").select(*tables.YEARS.columns)


YEARS = Kpi(tables.YEARS, summarise_years)
