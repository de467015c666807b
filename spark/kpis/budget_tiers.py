"""Tiers of budgets and their returns."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from movies.lake import gold_tables as tables
from spark.kpis.figures import FIGURE_COLUMNS, group_figures
from spark.kpis.kpi import Kpi

# Lower bounds of the tiers, in millions of dollars.
TIER_STARTS_MUSD = (0.0, 1.0, 10.0, 50.0, 100.0)


def summarise_tiers(movies: DataFrame) -> DataFrame:
    """Return every tier that has a movie, smallest budgets first."""
    known = movies.select(*FIGURE_COLUMNS).filter("budget_musd >= 0")
    tiers = known.groupBy(_tier().alias("tier")).agg(
        *group_figures(),
        F.percentile("roi", F.lit(0.25)).alias("roi_p25"),
        F.percentile("roi", F.lit(0.75)).alias("roi_p75"),
    )
    starts = F.array(*(F.lit(start) for start in TIER_STARTS_MUSD))
    bounded = tiers.withColumns(
        {
            "budget_from_musd": F.get(starts, F.col("tier") - 1),
            "budget_below_musd": F.get(starts, F.col("tier")),
        }
    )
    return bounded.orderBy("tier").select(*tables.BUDGET_TIERS.columns)


def _tier() -> Column:
    begun = [F.when(F.col("budget_musd") >= start, 1).otherwise(0) for start in TIER_STARTS_MUSD]
    return reduce(lambda left, right: left + right, begun)


BUDGET_TIERS = Kpi(tables.BUDGET_TIERS, summarise_tiers)
