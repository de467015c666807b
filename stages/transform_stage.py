"""The stage that makes silver from the raw tables: all of it, or only what has changed."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from movies.lake.changed_movies import ChangedMovies, find_changes, find_gone, find_rated_otherwise
from movies.lake.delta import LakeView, TableVersion, content_version, create, open_table, query
from movies.lake.lake_errors import OvertakenError
from movies.lake.publications import Publication, find_damage
from movies.lake.table import Table
from movies.lake.tables import (
    FETCH_FAILURES,
    FILTERED,
    IMDB_RATINGS,
    QUARANTINE,
    RATED_MOVIES,
    RAW_MOVIES,
    SILVER,
    SILVER_MOVIES,
)
from stages.names import StageName
from stages.publishing import Order, Written
from stages.spark_run import SparkRun
from stages.stage import SPARK_LIBRARIES, Inputs, TableStage

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

logger = logging.getLogger(__name__)

# If a larger share has changed, validating everything costs no more than merging.
LARGEST_SHARE = 0.2
# Rows with other ratings in memory at once, some 200 MB.
MOST_RATED = 100_000


@cache
def transform_stage(with_ratings: bool) -> TableStage:
    """Return the stage; it reads IMDb's ratings if they are wanted."""
    return TableStage(
        name=StageName.TRANSFORM,
        reads=(RAW_MOVIES, FETCH_FAILURES, *([IMDB_RATINGS] if with_ratings else [])),
        writes=SILVER,
        module=__name__,
        libraries=SPARK_LIBRARIES,
        is_unaffected=has_only_irrelevant_failures,
    )


def has_only_irrelevant_failures(lake: LakeView, before: Publication, inputs: Inputs) -> bool:
    """Whether only `raw/fetch_failures` has changed, and none of its new rows says that a movie is gone."""
    name = FETCH_FAILURES.name
    if {**before.inputs, name: inputs.get(name)} != inputs:
        return False
    gone = find_gone(lake, before.inputs.get(name))
    return gone is not None and not len(gone)


def write_silver(order: Order, spark: SparkRun) -> Written:
    """Bring silver's tables up to date with the raw tables, by an update if that is safe."""
    tables = _versions(order).silver
    # An engine that creates a table itself may declare columns as never null.
    for table in tables:
        create(table, order.lake_root)
    work = None if spark.rebuild else find_mergeable_work(order)
    if work is None:
        outputs = rebuild_silver(spark.session, order)
    elif len(work.changes.movie_ids) or len(work.rated_otherwise):
        try:
            outputs = merge_changes(spark.session, order, work)
        except OvertakenError as error:
            logger.warning("%s All payloads are validated instead.", str(error).removesuffix(" Run again."))
            work, outputs = None, rebuild_silver(spark.session, order)
    else:
        outputs = {table.name: _content(table, order.lake_root) for table in tables}
    judged = None if work is None else len(work.changes.movie_ids)
    return outputs, {"judged": judged, **count_outcomes(order)}


@dataclass(frozen=True)
class Work:
    """The work of an update: movies to validate, and ids of movies that only have other ratings."""

    changes: ChangedMovies
    rated_otherwise: pa.Array


def find_mergeable_work(order: Order) -> Work | None:
    """Return what has changed since silver was published, or None if all must be validated again.

    An update needs silver exactly as published, by this code and from the same kinds of tables. It is rebuilt
    after an interruption between two commits, after a change by hand, and if IMDb's ratings are switched on
    or off.
    """
    before = order.previous
    if before is None or before.code_version != order.code or before.inputs.keys() != order.inputs.keys():
        return None
    if find_damage(order.lake_root, before):
        return None
    changes = find_changes(order.lake_root, before.inputs, order.versions)
    if changes is None or changes.share > LARGEST_SHARE:
        return None
    name = IMDB_RATINGS.name
    rated_otherwise = pa.array([], pa.int64())
    if order.inputs.get(name) != before.inputs.get(name):
        rated_otherwise = find_rated_otherwise(order.lake_root, order.versions[name])
    return Work(changes, rated_otherwise) if len(rated_otherwise) <= MOST_RATED else None


def rebuild_silver(session: SparkSession, order: Order) -> dict[str, TableVersion]:
    """Validate the latest payload of every movie."""
    from movies.lake.data_files import adopt_files, new_folder
    from spark.transform import write_all

    versions = _versions(order)
    folders = {table.name: new_folder(table, order.lake_root) for table in versions.silver}
    rows = write_all(session, order.lake_root, folders, versions)
    return {
        table.name: adopt_files(
            table, order.lake_root, folders[table.name], rows[table.name], order.origin(judged="all")
        )
        for table in versions.silver
    }


def merge_changes(session: SparkSession, order: Order, work: Work) -> dict[str, TableVersion]:
    """Validate the movies that have changed, and replace their rows in silver's tables."""
    from movies.lake.data_files import replace_rows
    from spark.transform import compute_some, rate_some

    versions, judged = _versions(order), work.changes.movie_ids
    rows = compute_some(session, order.lake_root, work.changes.latest, versions)
    keys = dict.fromkeys(rows, judged)
    rated = work.rated_otherwise.filter(pc.invert(pc.is_in(work.rated_otherwise, value_set=judged)))
    if len(rated):
        movies = RATED_MOVIES.name
        rows[movies] = pa.concat_tables([rows[movies], rate_some(session, order.lake_root, rated, versions)])
        keys[movies] = pa.concat_arrays([judged, rated])
    origin = order.origin(judged=len(judged))
    assert order.previous is not None, "there is work that can be merged into it"
    before = order.previous.outputs
    return {
        table.name: replace_rows(
            table, order.lake_root, keys[table.name], rows[table.name], origin, before[table.name]
        )
        for table in versions.silver
    }


def count_outcomes(order: Order) -> dict[str, Any]:
    """Count the movies in silver's tables, and return when the last payload was fetched."""
    raw = open_table(RAW_MOVIES, order.lake_root, order.versions[RAW_MOVIES.name])
    assert raw is not None
    moment = query(raw, "SELECT max(fetched_at) AS moment FROM t").column("moment")[0].as_py()
    silver = _open(SILVER_MOVIES, order.lake_root)
    counts = {"movies": "count(*)"}
    if IMDB_RATINGS.name in order.versions:
        counts["rated"] = "count(imdb_rating)"
    columns = ", ".join(f"{count} AS {name}" for name, count in counts.items())
    return {
        **query(silver, f"SELECT {columns} FROM t").to_pylist()[0],
        "filtered": _by_reason(FILTERED, order.lake_root),
        "quarantined": _by_reason(QUARANTINE, order.lake_root),
        "fetched_until": moment.isoformat() if moment else None,
    }


def _by_reason(table: Table, lake_root: str) -> dict[str, int]:
    sql = "SELECT reason, count(*) AS n FROM t GROUP BY reason ORDER BY reason"
    return {row["reason"]: row["n"] for row in query(_open(table, lake_root), sql).to_pylist()}


def _versions(order: Order) -> Any:
    from spark.transform import RawVersions

    tables = (RAW_MOVIES, FETCH_FAILURES, IMDB_RATINGS)
    return RawVersions(*(order.versions.get(table.name) for table in tables))


def _content(table: Table, lake_root: str) -> TableVersion:
    return content_version(_open(table, lake_root))


def _open(table: Table, lake_root: str) -> Any:
    found = open_table(table, lake_root)
    assert found is not None, f"{table.name} has just been there"
    return found
