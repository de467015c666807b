"""Transform raw payloads to files of silver's tables.

`spark.silver` has the rules, and `lake.files` commits the files to the tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from movies.lake.arrow import arrow_schema
from movies.lake.table import Table
from movies.lake.tables import FETCH_FAILURES, IMDB_RATINGS, RATED_MOVIES, RATED_SILVER, RAW_MOVIES, SILVER
from spark.engines.workers import decode
from spark.frames import keep_result, read_table, write_files, write_partitions
from spark.payloads import KEPT
from spark.silver import add_ratings, is_row, judge, rows_of, select_columns, set_deleted_aside

# A longer list of batches costs more to compare with than it saves.
LISTED_BATCHES = 2_000


@dataclass(frozen=True)
class RawVersions:
    """The versions of the raw tables to read; None is the newest, and for ratings, no ratings."""

    movies: int | None = None
    failures: int | None = None
    ratings: int | None = None

    @property
    def silver(self) -> tuple[Table, ...]:
        """The tables that are made from these versions."""
        return SILVER if self.ratings is None else RATED_SILVER


def write_all(
    session: SparkSession, lake_root: str, folders: Mapping[str, str], versions: RawVersions = RawVersions()
) -> dict[str, int]:
    """Validate the latest payload of every movie, and write Parquet files of silver's tables.

    `folders` has a new folder or URL for each table by name. Return the numbers of rows by the same names.
    """
    raw, ratings = _read_raw(session, lake_root, versions), _read_ratings(session, lake_root, versions)
    validated = judge_latest(raw, _read_failures(session, lake_root, versions), keep_latest(raw))
    by_year = (
        validated.groupBy("release_year")
        .agg(*(F.count_if(is_row(table)).alias(table.name) for table in versions.silver))
        .collect()
    )
    for table in versions.silver:
        rows = rows_of(table, validated, ratings)
        if table.partition_by:
            [column] = table.partition_by
            years = {row["release_year"]: row[table.name] for row in by_year if row[table.name]}
            write_partitions(rows, folders[table.name], column, years)
        else:
            write_files(rows, folders[table.name])
    return {table.name: sum(row[table.name] for row in by_year) for table in versions.silver}


def compute_some(
    session: SparkSession, lake_root: str, latest: pa.Table, versions: RawVersions = RawVersions()
) -> dict[str, pa.Table]:
    """Validate movies by their latest rows of `raw/movies`, and return their rows of silver's tables.

    `latest` has the columns `movie_id`, `fetched_at` and `batch_id`, and a row for each movie.
    """
    raw, ratings = _read_raw(session, lake_root, versions), _read_ratings(session, lake_root, versions)
    if not latest.num_rows:
        return {table.name: pa.Table.from_pylist([], schema=arrow_schema(table)) for table in versions.silver}
    keys = session.createDataFrame(latest.select(list(KEPT)))
    rows = _of_batches(raw, latest.column("batch_id").unique().to_pylist())
    rows = rows.join(F.broadcast(keys), [*KEPT], "left_semi").dropDuplicates([*KEPT])
    validated = judge_latest(raw, _read_failures(session, lake_root, versions), rows)
    return {
        table.name: rows_of(table, validated, ratings).toArrow().cast(arrow_schema(table))
        for table in versions.silver
    }


def rate_some(session: SparkSession, lake_root: str, movie_ids: pa.Array, versions: RawVersions) -> pa.Table:
    """Return movies of silver with new ratings; their payloads are not read."""
    ratings = _read_ratings(session, lake_root, versions)
    assert ratings is not None, "the caller has ratings"
    wanted = session.createDataFrame(pa.Table.from_arrays([movie_ids], ["id"]))
    silver = read_table(session, RATED_MOVIES.path(lake_root)).drop("imdb_rating", "imdb_votes")
    rows = add_ratings(silver.join(F.broadcast(wanted), "id", "left_semi"), ratings)
    return select_columns(RATED_MOVIES, rows).toArrow().cast(arrow_schema(RATED_MOVIES))


def judge_latest(raw: DataFrame, failures: DataFrame, latest: DataFrame) -> DataFrame:
    """Validate each movie's latest payload, and the latest well-formed one if that is an older one.

    Add `is_latest`, which selects rows of quarantine, and `decides`, which selects rows of silver: if the
    latest payload is malformed, the last good one stays. `latest_at` is when the latest payload was fetched.
    """
    validated = keep_result(judge(decode(latest)))
    decided = validated.withColumns(
        {"is_latest": F.lit(True), "decides": ~F.col("is_malformed"), "latest_at": F.col("fetched_at")}
    )
    malformed = validated.filter("is_malformed").select(*KEPT).toArrow()
    if malformed.num_rows:
        decided = decided.unionByName(judge_earlier(raw, malformed))
    return decided.transform(set_deleted_aside, failures)


def judge_earlier(raw: DataFrame, malformed: pa.Table) -> DataFrame:
    """Validate the latest well-formed payload, if any, of movies whose latest one is malformed."""
    names = ["movie_id", "latest_at", "latest_batch_id"]
    superseding = raw.sparkSession.createDataFrame(malformed.rename_columns(names))
    is_latest = (F.col("fetched_at") == F.col("latest_at")) & (F.col("batch_id") == F.col("latest_batch_id"))
    keys = raw.select(*KEPT).join(F.broadcast(superseding), "movie_id").filter(~is_latest)
    batches = [row["batch_id"] for row in keys.select("batch_id").distinct().collect()]
    rows = _of_batches(raw, batches).join(F.broadcast(keys.select(*KEPT)), [*KEPT], "left_semi")
    latest_first = Window.partitionBy("movie_id").orderBy(
        F.col("fetched_at").desc(), F.col("batch_id").desc()
    )
    validated = (
        judge(decode(rows))
        .filter("not is_malformed")
        .withColumn("place", F.row_number().over(latest_first))
        .filter("place = 1")
        .drop("place")
        .withColumns({"is_latest": F.lit(False), "decides": F.lit(True)})
        .join(F.broadcast(superseding.select("movie_id", "latest_at")), "movie_id")
    )
    return keep_result(validated)


def keep_latest(raw: DataFrame) -> DataFrame:
    """Keep each movie's latest row, by `fetched_at`, then `batch_id`, without reading payloads."""
    keys = raw.select(*KEPT)
    counts = keys.agg(F.count("movie_id").alias("rows"), F.count_distinct("movie_id").alias("movies")).first()
    assert counts is not None
    if counts["rows"] == counts["movies"]:
        return raw
    if keys.groupBy(*KEPT).count().filter("count > 1").limit(1).count():
        # The pipeline never commits a batch twice, but other programs may.
        raw = raw.dropDuplicates([*KEPT])
    latest_first = Window.partitionBy("movie_id").orderBy(
        F.col("fetched_at").desc(), F.col("batch_id").desc()
    )
    latest = keys.withColumn("place", F.row_number().over(latest_first)).filter("place = 1").drop("place")
    return raw.join(F.broadcast(latest), [*KEPT], "left_semi")


def _read_raw(session: SparkSession, lake_root: str, versions: RawVersions) -> DataFrame:
    return read_table(session, RAW_MOVIES.path(lake_root), versions.movies).select(*KEPT, "payload")


def _read_failures(session: SparkSession, lake_root: str, versions: RawVersions) -> DataFrame:
    return read_table(session, FETCH_FAILURES.path(lake_root), versions.failures)


def _read_ratings(session: SparkSession, lake_root: str, versions: RawVersions) -> DataFrame | None:
    if versions.ratings is None:
        return None
    return read_table(session, IMDB_RATINGS.path(lake_root), versions.ratings)


def _of_batches(raw: DataFrame, batch_ids: list[str]) -> DataFrame:
    """Let the engine skip files without these batches."""
    return raw.filter(F.col("batch_id").isin(batch_ids)) if len(batch_ids) <= LISTED_BATCHES else raw
