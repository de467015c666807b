"""What a KPI is: a gold table, one sentence that defines it, and the query that fills it from movies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lake.tables import Table

# The columns of silver that queries may use: the long texts stay where they are.
MOVIE_COLUMNS = (
    "id", "title", "release_year", "genres", "belongs_to_collection", "cast", "director", "budget_musd",
    "revenue_musd", "profit_musd", "roi", "vote_count", "vote_average", "popularity", "runtime",
)  # fmt: skip


@dataclass(frozen=True)
class Kpi:
    """One gold table; its query turns movies (`MOVIE_COLUMNS`) into the table's columns, in row order."""

    table: Table
    definition: str
    query: Callable[[DataFrame], DataFrame]


def total(column: str) -> Column:
    """A sum that counts null as 0."""
    return F.coalesce(F.sum(column), F.lit(0.0))


def add_rank(rows: DataFrame, *order: Column, within: tuple[str, ...] = ()) -> DataFrame:
    """Add `rank`, the place of a row in an order, counted from 1."""
    # PySpark warns of windows over everything; these order a gold table's rows, which are few.
    window = Window.partitionBy(*(within or (F.lit(0),))).orderBy(*order)
    return rows.withColumn("rank", F.row_number().over(window))


def explode_names(movies: DataFrame, names: str, name: str) -> DataFrame:
    """Give each movie one row for each distinct name of a joined list, in the column `name`."""
    return movies.withColumn(name, F.explode(F.array_distinct(F.split(names, r"\|"))))
