"""Options of engines: the user's settings, and Spark options for small and large data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from spark.spark_errors import EngineUnavailable

DEFAULT_IMAGE = "tmdb-movies-spark:latest"
MEMORY_UNITS = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}

SESSION_OPTIONS = {"spark.sql.session.timeZone": "UTC"}
# For up to some thousand movies; the defaults of Spark and Delta are for far more.
SMALL_DATA_OPTIONS = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.shuffle.partitions": "4",
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.driver.extraJavaOptions": "-XX:+UseParallelGC -XX:TieredStopAtLevel=1",
    # The default of ten thousand payloads would be 200 MB.
    "spark.sql.execution.arrow.maxRecordsPerBatch": "1000",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}
# From this many movies on, compiling queries costs less than it saves.
LARGE_MOVIES = 20_000
LARGE_DATA_OPTIONS = {
    **SMALL_DATA_OPTIONS,
    "spark.sql.shuffle.partitions": "16",
    "spark.sql.codegen.wholeStage": "true",
    "spark.sql.codegen.factoryMode": "FALLBACK",
    "spark.driver.extraJavaOptions": "-XX:+UseParallelGC",
}
# Our own option of a session: how it stores results, if not by a local checkpoint.
KEPT_BY = "spark.tmdbMovies.resultsKeptBy"
CHECKPOINT, PERSIST = "checkpoint", "persist"
# Set if the session's engine runs Python in this process.
EMBEDDED = "spark.tmdbMovies.embedded"
# Folder of links to folders whose names the engine cannot use.
LINKS = "spark.tmdbMovies.links"


@dataclass(frozen=True)
class EngineOptions:
    """The user's settings of an engine; an engine ignores those that it does not need.

    Memory is in Spark's format (`2g`). `driver_memory` also limits the embedded engine. `lake_root`, `image`
    and `network` are for an engine in a container. `movies` is the approximate number of movies, which
    decides about Spark's options.
    """

    app_name: str = "tmdb-movies"
    driver_memory: str | None = None
    executor_memory: str | None = None
    cores: int | None = None
    lake_root: str | None = None
    image: str = DEFAULT_IMAGE
    network: str = "bridge"
    movies: int = 0


def data_options(movies: int) -> Mapping[str, str]:
    """Return the Spark options for an approximate number of movies."""
    return LARGE_DATA_OPTIONS if movies >= LARGE_MOVIES else SMALL_DATA_OPTIONS


def bytes_of(memory: str) -> int:
    """Read an amount of memory in Spark's format: `2g`, `512m`.

    Raises:
        EngineUnavailable: the amount is not valid.
    """
    amount = re.fullmatch(r"(\d+)([bkmgt]?)b?", memory.strip().lower())
    if amount is None:
        raise EngineUnavailable(f"{memory!r} is not a valid amount of memory; expected one like 2g or 512m.")
    return int(amount[1]) * MEMORY_UNITS[amount[2]]
