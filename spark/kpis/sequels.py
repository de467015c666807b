"""Sequels: movies of a collection beside their predecessors."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from movies.lake import gold_tables as tables
from spark.kpis.kpi import Kpi, in_dollars, list_first

_COMPARED = ("id", "title", "release_date", "budget_musd", "revenue_musd", "vote_average")


def rank_sequels(movies: DataFrame) -> DataFrame:
    """Return the first sequels by revenue, unknown revenue last, ties by id; equal dates are by id."""
    parts = movies.select(F.col("belongs_to_collection").alias("collection"), *_COMPARED)
    in_order = Window.partitionBy("collection").orderBy("release_date", "id")
    before = {f"predecessor_{column}": F.lag(column).over(in_order) for column in _COMPARED}
    sequels = (
        parts.filter("collection is not null and release_date is not null")
        .withColumns({"part": F.row_number().over(in_order), **before})
        .filter("part > 1")
        .withColumns(
            {
                "budget_ratio": F.col("budget_musd") / F.col("predecessor_budget_musd"),
                "revenue_ratio": F.col("revenue_musd") / F.col("predecessor_revenue_musd"),
                "rating_difference": F.col("vote_average") - F.col("predecessor_vote_average"),
            }
        )
    )
    order = (in_dollars("revenue_musd").desc_nulls_last(), F.col("id"))
    return list_first(sequels, *order).select(*tables.SEQUELS.columns)


SEQUELS = Kpi(tables.SEQUELS, rank_sequels)
