"""Declaration of a KPI: a gold table, and the query that fills it from movies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from movies.lake.gold_tables import LISTED_ROWS
from movies.lake.table import Table

# The columns of silver that queries may use. Long texts are not read.
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
    """Sum a column, with null as 0."""
    return F.coalesce(F.sum(column), F.lit(0.0))


def in_dollars(musd: str) -> Column:
    """Round money to whole dollars to order by, because the last bits of sums depend on their order."""
    # Not cast to long, because some payloads have more dollars than fit.
    return F.round(F.col(musd) * 1_000_000)


def add_rank(rows: DataFrame, *order: Column, within: tuple[str, ...] = ()) -> DataFrame:
    """Add `rank`, the place of a row in an order, counted from 1."""
    # A constant partition avoids PySpark's warning about windows; a gold table has few rows.
    window = Window.partitionBy(*(within or (F.lit(0),))).orderBy(*order)
    return rows.withColumn("rank", F.row_number().over(window))


def list_first(rows: DataFrame, *order: Column, listed: int = LISTED_ROWS) -> DataFrame:
    """Keep the first rows of an order, with `rank`."""
    # Limit first, because a window over all groups would sort them all.
    return add_rank(rows.orderBy(*order).limit(listed), *order).orderBy("rank")


def explode_names(movies: DataFrame, names: str, name: str, first: int | None = None) -> DataFrame:
    """Explode the distinct names of a joined list, or of its `first` ones, into rows, in column `name`."""
    # Names after the first ones, the most of a long list, are not split.
    split = F.split(names, r"\|") if first is None else F.slice(F.split(names, r"\|", first + 1), 1, first)
    return movies.withColumn(name, F.explode(F.array_distinct(split)))
