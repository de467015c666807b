"""What a KPI is: a gold table, which says what it holds, and the query that fills it from movies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from movies.lake.gold_tables import LISTED_ROWS
from movies.lake.table import Table

# The columns of silver that queries may use: the long texts stay where they are.
MOVIE_COLUMNS = (
    "id", "title", "release_date", "release_year", "genres", "belongs_to_collection", "original_language",
    "production_companies", "production_countries", "cast", "director", "budget_musd", "revenue_musd",
    "profit_musd", "roi", "vote_count", "vote_average", "popularity", "runtime",
)  # fmt: skip


@dataclass(frozen=True)
class Kpi:
    """One gold table; its query turns movies (`MOVIE_COLUMNS`) into the table's columns, in row order."""

    table: Table
    query: Callable[[DataFrame], DataFrame]


def total(column: str) -> Column:
    """A sum that counts null as 0."""
    return F.coalesce(F.sum(column), F.lit(0.0))


def in_dollars(musd: str) -> Column:
    """Money in whole dollars, to order by: sums differ in their last bits with the order of additions."""
    # Not as a long: there are payloads with more dollars than one holds.
    return F.round(F.col(musd) * 1_000_000)


def add_rank(rows: DataFrame, *order: Column, within: tuple[str, ...] = ()) -> DataFrame:
    """Add `rank`, the place of a row in an order, counted from 1."""
    # PySpark warns of windows over everything; these order a gold table's rows, which are few.
    window = Window.partitionBy(*(within or (F.lit(0),))).orderBy(*order)
    return rows.withColumn("rank", F.row_number().over(window))


def list_first(rows: DataFrame, *order: Column, listed: int = LISTED_ROWS) -> DataFrame:
    """Keep the first rows of an order, with `rank`."""
    # The limit comes first: a window over all groups would sort them all.
    return add_rank(rows.orderBy(*order).limit(listed), *order).orderBy("rank")


def explode_names(movies: DataFrame, names: str, name: str, first: int | None = None) -> DataFrame:
    """Give each movie one row for each distinct name of a joined list, or of its first, in column `name`."""
    # What follows the names wanted, in a long list most of it, stays one piece.
    split = F.split(names, r"\|") if first is None else F.slice(F.split(names, r"\|", first + 1), 1, first)
    return movies.withColumn(name, F.explode(F.array_distinct(split)))
