"""Reading, keeping and overwriting Delta tables, in the ways that every engine does alike."""

from __future__ import annotations

import logging

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

logger = logging.getLogger(__name__)


def read_table(session: SparkSession, path: str, version: int | None = None) -> DataFrame:
    """Read a Delta table as it is now, or as it was at one version."""
    reader = session.read.format("delta")
    if version is not None:
        reader = reader.option("versionAsOf", version)
    return reader.load(path)


def keep_result(frame: DataFrame) -> DataFrame:
    """Compute a frame once for several uses; where an engine cannot keep it, each use computes it again.

    `cache()` does nothing on the embedded engine, a local checkpoint works on all that have room for one.
    """
    try:
        return frame.localCheckpoint()
    except PySparkException as error:
        if "checkpoint" not in str(error).lower():
            raise
        logger.info("The engine keeps no intermediate results; they are computed once per use.")
        return frame


def overwrite_table(frame: DataFrame, path: str, partition_by: tuple[str, ...] = ()) -> None:
    """Replace all rows of an existing table in one commit; a failed overwrite leaves it as it was."""
    if partition_by:
        # One file a partition: without it every task writes a file into every partition.
        frame = frame.repartition(*partition_by)
    frame.write.format("delta").mode("overwrite").partitionBy(*partition_by).save(path)
