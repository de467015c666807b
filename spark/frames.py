"""Reading tables, keeping results and writing files, in the ways that every engine does alike."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, DataFrameWriter, SparkSession
from pyspark.sql import functions as F

from spark.engines.links import plain_path
from spark.engines.options import CHECKPOINT, KEPT_BY, LINKS, PERSIST

logger = logging.getLogger(__name__)

# Written at once: 200,000 movies of a kilobyte, packed in memory until their files are whole.
ROWS_AT_ONCE = 200_000


def read_table(session: SparkSession, path: str, version: int | None = None) -> DataFrame:
    """Read a Delta table as it is now, or as it was at one version."""
    reader = session.read.format("delta")
    if version is not None:
        reader = reader.option("versionAsOf", version)
    return reader.load(place_of(session, path))


def place_of(session: SparkSession, path: str) -> str:
    """Return the path by which a session's engine finds a folder."""
    links = session.conf.get(LINKS, None)
    return path if links is None else plain_path(path, links)


def keep_result(frame: DataFrame) -> DataFrame:
    """Compute a frame once for several uses; where an engine cannot keep it, each use computes it again.

    `cache()` does nothing on the embedded engine, a local checkpoint works on all that have room for one, and
    is lost with the machine that has it: an engine of several is opened with another way (`KEPT_BY`).
    """
    kept_by = frame.sparkSession.conf.get(KEPT_BY, None)
    try:
        if kept_by == PERSIST:
            return frame.persist()
        return frame.checkpoint() if kept_by == CHECKPOINT else frame.localCheckpoint()
    except PySparkException as error:
        if "checkpoint" not in str(error).lower():
            raise
        logger.info("The engine keeps no intermediate results; they are computed once per use.")
        return frame


def write_files(frame: DataFrame, folder: str) -> None:
    """Write Parquet files into a folder; they are part of no table."""
    _writer(frame.coalesce(1)).parquet(place_of(frame.sparkSession, folder))


def write_partitions(frame: DataFrame, folder: str, column: str, rows_by_value: Mapping[int, int]) -> None:
    """Write Parquet files into a folder by the values of a column, which have so many rows each.

    All partitions' files are open at once, so a large frame is written some values at a time.
    """
    place = place_of(frame.sparkSession, folder)
    for values in _portions(rows_by_value):
        part = frame if len(values) == len(rows_by_value) else frame.filter(F.col(column).isin(values))
        # One file a partition: without it every task writes a file into every partition.
        _writer(part.repartition(column)).partitionBy(column).parquet(place)


def _portions(rows_by_value: Mapping[int, int]) -> Iterator[list[int]]:
    """Values whose rows together are not too many, in order."""
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
    # Hadoop's sign that all is written; what counts is the commit.
    return writer.option("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false")
