"""The rules of silver (contract, section 3): one named function a rule, DataFrame in, DataFrame out."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lake.tables import SILVER_MOVIES
from spark.payloads import NAME_LISTS, blank_to_null, finite_number, has_text

TEXT_COLUMNS = (
    "title",
    "tagline",
    "belongs_to_collection",
    "original_language",
    "overview",
    "poster_path",
)
MINIMUM_VALUES = 10
DOLLARS_PER_MUSD = 1_000_000


def null_blank_texts(movies: DataFrame) -> DataFrame:
    """Turn blank texts into null; other texts are kept as they are, padding included."""
    return movies.withColumns({column: blank_to_null(F.col(column)) for column in TEXT_COLUMNS})


def null_zero_amounts(movies: DataFrame) -> DataFrame:
    """Turn 0 into null where TMDB means `unknown` by it."""
    return movies.withColumns(
        {column: F.when(F.col(column) != 0, F.col(column)) for column in ("budget", "revenue", "runtime")}
    )


def null_unvoted_averages(movies: DataFrame) -> DataFrame:
    """Turn the average of no votes into null."""
    voted = F.col("vote_count") != 0
    return movies.withColumn("vote_average", F.when(voted, F.col("vote_average")))


def count_credits(movies: DataFrame) -> DataFrame:
    """Add `cast_size`, `crew_size`: entries as TMDB gives them, nulls passed over, 0 where there are none."""
    return movies.withColumns(
        {f"{people}_size": _size(F.array_compact(F.col(people))) for people in ("cast", "crew")}
    )


def name_directors(movies: DataFrame) -> DataFrame:
    """Add `director`, every distinct crew member whose job is Director, from `crew`, which goes."""
    directors = F.filter(F.col("crew"), lambda member: member["job"] == "Director")
    return movies.withColumn("director", _joined(F.array_distinct(_names(directors)))).drop("crew")


def name_cast(movies: DataFrame) -> DataFrame:
    """Join the cast's names by TMDB's `order`; equal orders stay as they come, missing ones are last."""

    def sortable(member: Column, position: Column) -> Column:
        order = F.coalesce(finite_number(member["order"]), F.lit(float("inf")))
        return F.struct(order.alias("order"), position.alias("position"), member["name"].alias("name"))

    in_order = F.array_sort(F.transform(F.col("cast"), sortable))
    return movies.withColumn("cast", _joined(_names(in_order)))


def join_name_lists(movies: DataFrame) -> DataFrame:
    """Replace genres, companies, countries and languages by their names."""
    return movies.withColumns({column: _joined(_names(F.col(column))) for column in NAME_LISTS})


def add_money(movies: DataFrame) -> DataFrame:
    """Add money in millions of dollars, with profit and return on investment where both sides are known."""
    budget, revenue = F.col("budget"), F.col("revenue")
    return movies.withColumns(
        {
            "budget_musd": budget / DOLLARS_PER_MUSD,
            "revenue_musd": revenue / DOLLARS_PER_MUSD,
            # Computed from dollars, which are whole: from millions, the last digits would be rounded twice.
            "profit_musd": (revenue - budget) / DOLLARS_PER_MUSD,
            "roi": revenue / budget,
        }
    )


def add_release_year(movies: DataFrame) -> DataFrame:
    """Add the year that silver is partitioned by."""
    return movies.withColumn("release_year", F.year("release_date"))


def add_refusals(payloads: DataFrame) -> DataFrame:
    """Add `reason`, the first one to quarantine a payload, and the field in `detail`; else nulls."""
    refusals = {
        "malformed": (F.col("is_malformed"), F.lit("payload")),
        "missing_id": (~F.col("has_id"), F.lit("id")),
        "missing_title": (~has_text(F.col("title")), F.lit("title")),
        "id_mismatch": (F.col("id") != F.col("movie_id"), F.concat(F.lit("id "), F.col("id").cast("string"))),
        "bad_value": (F.col("misfits") != "", F.col("misfits")),
    }
    return payloads.withColumns(
        {
            "reason": F.coalesce(*(F.when(refused, reason) for reason, (refused, _) in refusals.items())),
            "detail": F.coalesce(*(F.when(refused, detail) for refused, detail in refusals.values())),
        }
    )


def add_filters(payloads: DataFrame) -> DataFrame:
    """Add `filtered`, the first reason to leave a movie out though its payload is fine; else null."""
    filters = {
        "not_released": ~F.col("status").eqNullSafe("Released"),
        "no_release_date": F.col("release_date").isNull(),
        "too_few_values": _count_values() < MINIMUM_VALUES,
    }
    reasons = F.coalesce(*(F.when(filtered, reason) for reason, filtered in filters.items()))
    return payloads.withColumn("filtered", F.when(F.col("reason").isNull(), reasons))


def keep_deciding(payloads: DataFrame) -> DataFrame:
    """Keep each movie's latest payload, and its latest well-formed one where that is another.

    Adds `is_latest`, which quarantine goes by, and `decides`, which silver goes by: a malformed payload
    leaves the last good one in silver. `latest_at` is when the movie's latest payload was fetched.
    """
    by_movie = Window.partitionBy("movie_id")
    latest = (F.col("fetched_at").desc(), F.col("batch_id").desc())
    return (
        payloads.withColumn("is_latest", F.row_number().over(by_movie.orderBy(*latest)) == 1)
        .withColumn("nth_formed", F.row_number().over(by_movie.orderBy("is_malformed", *latest)))
        .withColumn("decides", (F.col("nth_formed") == 1) & ~F.col("is_malformed"))
        .withColumn("latest_at", F.max("fetched_at").over(by_movie))
        .filter("is_latest or decides")
        .drop("nth_formed")
    )


def judge_payloads(payloads: DataFrame) -> DataFrame:
    """Apply every rule to parsed payloads: silver's columns, with what becomes of each payload."""
    judged = (
        payloads.transform(null_blank_texts)
        .transform(null_zero_amounts)
        .transform(null_unvoted_averages)
        .transform(count_credits)
        .transform(name_directors)
        .transform(name_cast)
        .transform(join_name_lists)
        .transform(add_money)
        .transform(add_release_year)
        .transform(add_refusals)
        .transform(add_filters)
    )
    # Payloads are long: only those that quarantine will show go on.
    refused_payload = F.when(F.col("reason").isNotNull(), F.col("payload")).alias("payload")
    return judged.select(
        "movie_id", "fetched_at", "batch_id", refused_payload,
        "is_malformed", "reason", "detail", "filtered", *SILVER_MOVIES.columns,
    ).transform(keep_deciding)  # fmt: skip


def set_deleted_aside(judged: DataFrame, failures: DataFrame) -> DataFrame:
    """Filter the movies that TMDB was found to have no more since their latest payload, whatever is in it."""
    not_found = (
        failures.filter("reason = 'not_found'")
        .groupBy("movie_id")
        .agg(F.max("failed_at").alias("not_found_at"))
    )
    is_deleted = F.coalesce(F.col("not_found_at") > F.col("latest_at"), F.lit(False))
    return judged.join(not_found, "movie_id", "left").withColumns(
        {
            "reason": F.when(~is_deleted, F.col("reason")),
            "filtered": F.when(is_deleted, "deleted").otherwise(F.col("filtered")),
        }
    )


def silver_movies(judged: DataFrame) -> DataFrame:
    """Select the rows and columns of `silver/movies`."""
    return judged.filter("decides and reason is null and filtered is null").select(*SILVER_MOVIES.columns)


def quarantined_payloads(judged: DataFrame) -> DataFrame:
    """Select the rows and columns of `silver/quarantine`."""
    return judged.filter("is_latest and reason is not null").select(
        "movie_id", "reason", "detail", "payload", "fetched_at", "batch_id"
    )


def _size(entries: Column) -> Column:
    return F.when(entries.isNotNull(), F.size(entries)).otherwise(0)


def _names(entries: Column) -> Column:
    # `|` separates names in silver, so it cannot be part of one.
    named = F.filter(entries, lambda entry: has_text(entry["name"]))
    return F.transform(named, lambda entry: F.translate(entry["name"], "|", "/"))


def _joined(names: Column) -> Column:
    return F.nullif(F.array_join(names, "|"), F.lit(""))


def _count_values() -> Column:
    present = [F.col(column).isNotNull().cast("integer") for column in SILVER_MOVIES.columns]
    return reduce(lambda left, right: left + right, present)
