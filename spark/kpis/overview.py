"""The totals of all movies."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from movies.lake import gold_tables as tables
from spark.kpis.figures import coverage, share_profitable
from spark.kpis.kpi import Kpi


def summarise(movies: DataFrame) -> DataFrame:
    """Return the one row of totals, even if there are no movies."""
    return movies.agg(
        F.count("id").alias("movies"),
        F.avg("budget_musd").alias("mean_budget_musd"),
        F.avg("revenue_musd").alias("mean_revenue_musd"),
        F.avg("vote_average").alias("mean_rating"),
        *coverage(),
        share_profitable(),
        F.median("vote_average").alias("median_rating"),
    )


OVERVIEW = Kpi(tables.OVERVIEW, summarise)
