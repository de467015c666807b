"""Read tables, cache results and write files in ways that work the same on every engine."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, DataFrameWriter, SparkSession
from pyspark.sql import functions as F

from spark.engines.engine_options import CHECKPOINT, KEPT_BY, LINKS, PERSIST
from spark.engines.links import plain_path

logger = logging.getLogger(__name__)

# Rows that are written together, because their files are in memory until they are complete: about 200 MB.
ROWS_AT_ONCE = 200_000


def read_table(session: SparkSession, path: str, version: int | None = None) -> DataFrame:
    """Read a Delta table at a version, by default the newest."""
    reader = session.read.format("delta")
    if version is not None:
        reader = reader.option("versionAsOf", version)
    return reader.load(place_of(session, path))


def place_of(session: SparkSession, path: str) -> str:
    """Return a folder's path for a session's engine, which may need a link."""
    links = session.conf.get(LINKS, None)
    return path if links is None else plain_path(path, links)


def keep_result(frame: DataFrame) -> DataFrame:
    """Compute a frame once for several uses; if the engine cannot store it, each use computes it again.

    `cache()` does nothing on the embedded engine, so the default is a local checkpoint. That is lost with its
    machine, so a cluster's session stores results in another way (`KEPT_BY`).
    """
    kept_by = frame.sparkSession.conf.get(KEPT_BY, None)
    try:
        if kept_by == PERSIST:
            return frame.persist()
        return frame.checkpoint() if kept_by == CHECKPOINT else frame.localCheckpoint()
    except PySparkException as error:
        if "checkpoint" not in str(error).lower():
            raise
        logger.info("The engine cannot store intermediate results. Each use computes them again.")
        return frame


def write_files(frame: DataFrame, folder: str) -> None:
    """Write Parquet files into a folder, without adding them to a table."""
    _writer(frame.coalesce(1)).parquet(place_of(frame.sparkSession, folder))


def write_partitions(frame: DataFrame, folder: str, column: str, rows_by_value: Mapping[int, int]) -> None:
    """Write Parquet files into a folder, partitioned by a column; `rows_by_value` has the rows of each value.

    All partitions' files are open at once, so a large frame is written a few values at a time.
    """
    place = place_of(frame.sparkSession, folder)
    for values in _portions(rows_by_value):
        part = frame if len(values) == len(rows_by_value) else frame.filter(F.col(column).isin(values))
        # One file a partition. Otherwise every task writes a file into every partition.
        _writer(part.repartition(column)).partitionBy(column).parquet(place)


def _portions(rows_by_value: Mapping[int, int]) -> Iterator[list[int]]:
    """Yield groups of values, in order, whose rows are at most `ROWS_AT_ONCE` together."""
    portion: list[int] = []
    rows = 0
    for value, count in sorted(rows_by_value.items()):
        if portion and rows + count > ROWS_AT_ONCE:
            yield portion
            portion, rows = [], 0
        portion.append(value)
        rows += count
    if portion:
        yield portion


def _writer(frame: DataFrame) -> DataFrameWriter:
    writer = frame.write.mode("append").option("compression", "zstd")
    # No `_SUCCESS` file: the commit decides which files are in the table.
    return writer.option("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false")
