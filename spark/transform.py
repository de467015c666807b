"""The transform from raw payloads to silver and quarantine: reads and writes, the rules are elsewhere."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lake.tables import FETCH_FAILURES, QUARANTINE, RAW_MOVIES, SILVER_MOVIES
from spark.frames import keep_result, overwrite_table, read_table
from spark.payloads import parse_payloads
from spark.silver import judge_payloads, quarantined_payloads, set_deleted_aside, silver_movies


@dataclass(frozen=True)
class TransformCounts:
    """What became of the movies in `raw/movies`, each distinct id counted by its latest payload."""

    read: int
    movies: int
    quarantined: dict[str, int] = field(default_factory=dict)
    filtered: dict[str, int] = field(default_factory=dict)


def transform(
    session: SparkSession, lake_root: str, raw_version: int | None = None, failures_version: int | None = None
) -> TransformCounts:
    """Rebuild `silver/movies` and `silver/quarantine` from the raw tables, as they are or up to one version.

    All four tables must exist: an engine that creates a table itself may make columns that are never null.
    """
    raw = read_table(session, RAW_MOVIES.path(lake_root), raw_version)
    failures = read_table(session, FETCH_FAILURES.path(lake_root), failures_version)
    judged = raw.transform(parse_payloads).transform(judge_payloads).transform(set_deleted_aside, failures)
    judged = keep_result(judged)
    overwrite_table(silver_movies(judged), SILVER_MOVIES.path(lake_root), SILVER_MOVIES.partition_by)
    overwrite_table(quarantined_payloads(judged), QUARANTINE.path(lake_root))
    return count_outcomes(judged)


def count_outcomes(judged: DataFrame) -> TransformCounts:
    """Count in one job; a movie in silver whose latest payload is malformed is counted in both."""
    rows = (
        judged.groupBy("is_latest", "decides", "reason", "filtered")
        .agg(F.count(F.lit(1)).alias("n"))
        .collect()
    )
    read = movies = 0
    quarantined: Counter[str] = Counter()
    filtered: Counter[str] = Counter()
    for row in rows:
        if row["is_latest"]:
            read += row["n"]
            if row["reason"]:
                quarantined[row["reason"]] += row["n"]
            elif row["filtered"]:
                filtered[row["filtered"]] += row["n"]
        if row["decides"] and not (row["reason"] or row["filtered"]):
            movies += row["n"]
    return TransformCounts(read, movies, dict(sorted(quarantined.items())), dict(sorted(filtered.items())))
