"""The rules of silver on columns (contract, section 3): one named function a rule.

`spark.payloads` decodes payloads and validates their fields.
"""

from __future__ import annotations

import sys
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from movies.lake.table import Table
from movies.lake.tables import FILTERED, QUARANTINE, RATED_MOVIES, SILVER_MOVIES

MINIMUM_VALUES = 10
DOLLARS_PER_MUSD = 1_000_000


def null_zero_amounts(movies: DataFrame) -> DataFrame:
    """Turn 0, which means unknown at TMDB, into null; so is money that is 0 in millions of dollars."""
    amounts = {
        "budget": F.col("budget") / DOLLARS_PER_MUSD,
        "revenue": F.col("revenue") / DOLLARS_PER_MUSD,
        "runtime": F.col("runtime"),
    }
    return movies.withColumns(
        {column: F.when(amount != 0, F.col(column)) for column, amount in amounts.items()}
    )


def null_unvoted_averages(movies: DataFrame) -> DataFrame:
    """Turn the average of no votes into null."""
    voted = F.col("vote_count") != 0
    return movies.withColumn("vote_average", F.when(voted, F.col("vote_average")))


def add_money(movies: DataFrame) -> DataFrame:
    """Add money in millions of dollars, with profit and return on investment if both sides are known.

    A profit or return beyond the largest double is null; it comes from mistyped money.
    """
    budget, revenue = F.col("budget"), F.col("revenue")
    return movies.withColumns(
        {
            "budget_musd": budget / DOLLARS_PER_MUSD,
            "revenue_musd": revenue / DOLLARS_PER_MUSD,
            # Computed from whole dollars, because millions would round the last digits twice.
            "profit_musd": _finite((revenue - budget) / DOLLARS_PER_MUSD),
            "roi": _finite(revenue / budget),
        }
    )


def _finite(figure: Column) -> Column:
    return F.when(F.abs(figure) <= sys.float_info.max, figure)


def add_release_year(movies: DataFrame) -> DataFrame:
    """Add the year that silver is partitioned by."""
    return movies.withColumn("release_year", F.year("release_date"))


def add_filters(payloads: DataFrame) -> DataFrame:
    """Add `filtered`: the first reason to leave out a movie with a valid payload, otherwise null."""
    present = [F.col(column).isNotNull().cast("integer") for column in SILVER_MOVIES.columns]
    filters = {
        "not_released": ~F.col("status").eqNullSafe("Released"),
        "no_release_date": F.col("release_date").isNull(),
        "too_few_values": reduce(lambda left, right: left + right, present) < MINIMUM_VALUES,
    }
    reasons = F.coalesce(*(F.when(filtered, reason) for reason, filtered in filters.items()))
    return payloads.withColumn("filtered", F.when(F.col("reason").isNull(), reasons))


def judge(decoded: DataFrame) -> DataFrame:
    """Apply all rules to decoded payloads; return silver's columns and the outcome of each payload."""
    validated = (
        decoded.transform(null_zero_amounts)
        .transform(null_unvoted_averages)
        .transform(add_money)
        .transform(add_release_year)
        .transform(add_filters)
    )
    return validated.select(
        "movie_id", "fetched_at", "batch_id", "is_malformed", "payload", "reason", "detail", "filtered",
        *SILVER_MOVIES.columns, "imdb_id",
    )  # fmt: skip


def set_deleted_aside(validated: DataFrame, failures: DataFrame) -> DataFrame:
    """Filter the movies that were not found at TMDB after their latest payload was fetched."""
    not_found = (
        failures.filter("reason = 'not_found'")
        .groupBy("movie_id")
        .agg(F.max("failed_at").alias("not_found_at"))
    )
    is_deleted = F.coalesce(F.col("not_found_at") > F.col("latest_at"), F.lit(False))
    return validated.join(not_found, "movie_id", "left").withColumns(
        {
            "reason": F.when(~is_deleted, F.col("reason")),
            "filtered": F.when(is_deleted, "deleted").otherwise(F.col("filtered")),
        }
    )


def add_ratings(movies: DataFrame, ratings: DataFrame) -> DataFrame:
    """Add IMDb's rating of each movie; null if IMDb has no rating for its `imdb_id`."""
    rated = ratings.select(
        F.col("imdb_id"), F.col("rating").alias("imdb_rating"), F.col("votes").alias("imdb_votes")
    )
    return movies.join(rated, "imdb_id", "left")


def is_row(table: Table) -> Column:
    """Return the condition for a validated payload to be a row of a table of silver."""
    conditions = {
        SILVER_MOVIES.name: "decides and reason is null and filtered is null",
        QUARANTINE.name: "is_latest and reason is not null",
        FILTERED.name: "is_latest and filtered is not null",
    }
    return F.expr(conditions[table.name])


def rows_of(table: Table, validated: DataFrame, ratings: DataFrame | None = None) -> DataFrame:
    """Select the rows and columns of a table of silver, with ratings if there are any."""
    rows = validated.filter(is_row(table))
    if table == FILTERED:
        rows = rows.withColumn("reason", F.col("filtered"))
    if table == RATED_MOVIES and ratings is not None:
        rows = add_ratings(rows, ratings)
    return select_columns(table, rows)


def select_columns(table: Table, rows: DataFrame) -> DataFrame:
    """Select a table's columns in their order and types."""
    typed = (F.col(name).cast(column.type).alias(name) for name, column in table.columns.items())
    return rows.select(*typed)
