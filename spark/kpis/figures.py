"""Figures of a group of movies, and how many movies have them."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from movies.lake.gold_tables import LISTED_ROWS, MINIMUM_TOGETHER
from spark.kpis.kpi import in_dollars, list_first, total

# The columns that the figures are computed from.
FIGURE_COLUMNS = ("budget_musd", "revenue_musd", "profit_musd", "roi", "vote_average")


def coverage() -> tuple[Column, ...]:
    """Count the movies of a group that have a budget, a revenue, and both."""
    return tuple(
        F.count(column).alias(f"movies_with_{figure}")
        for figure, column in (("budget", "budget_musd"), ("revenue", "revenue_musd"), ("roi", "roi"))
    )


def share_profitable() -> Column:
    """Compute the share of movies that earned more than their budget, among those with both figures."""
    return F.avg((F.col("profit_musd") > 0).cast("double")).alias("share_profitable")


def pair_figures() -> tuple[Column, ...]:
    """Return the figures in tables of pairs."""
    return (
        F.count(F.lit(1)).alias("movies"),
        *coverage(),
        total("revenue_musd").alias("total_revenue_musd"),
        F.avg("revenue_musd").alias("mean_revenue_musd"),
        F.median("roi").alias("median_roi"),
        share_profitable(),
        F.avg("vote_average").alias("mean_rating"),
    )


def group_figures() -> tuple[Column, ...]:
    """Return the figures in tables of groups: medians beside means, since few films earn most."""
    return (
        F.count(F.lit(1)).alias("movies"),
        *coverage(),
        total("revenue_musd").alias("total_revenue_musd"),
        F.avg("revenue_musd").alias("mean_revenue_musd"),
        F.median("revenue_musd").alias("median_revenue_musd"),
        F.avg("budget_musd").alias("mean_budget_musd"),
        F.median("budget_musd").alias("median_budget_musd"),
        F.median("roi").alias("median_roi"),
        share_profitable(),
        F.avg("vote_average").alias("mean_rating"),
    )


def rank_groups(credits: DataFrame, *keys: str) -> DataFrame:
    """Return the first groups by total revenue, then name."""
    order = (in_dollars("total_revenue_musd").desc(), *map(F.col, keys))
    return _list_groups(credits, keys, order, group_figures())


def rank_pairs(credits: DataFrame, *keys: str) -> DataFrame:
    """Return the first pairs by movies together, of those with several, then total revenue, then names."""
    order = (F.col("movies").desc(), in_dollars("total_revenue_musd").desc(), *map(F.col, keys))
    return _list_groups(credits, keys, order, pair_figures(), MINIMUM_TOGETHER)


def _list_groups(
    credits: DataFrame,
    keys: tuple[str, ...],
    order: tuple[Column, ...],
    figures: tuple[Column, ...],
    minimum: int = 1,
) -> DataFrame:
    # Medians of a million groups would be slow, so only those of the listed groups are computed.
    ordered = credits.groupBy(*keys).agg(
        F.count(F.lit(1)).alias("movies"), total("revenue_musd").alias("total_revenue_musd")
    )
    listed = ordered.filter(F.col("movies") >= minimum).orderBy(*order).limit(LISTED_ROWS).select(*keys)
    figured = credits.join(listed, list(keys), "left_semi").groupBy(*keys).agg(*figures)
    return list_first(figured, *order)
