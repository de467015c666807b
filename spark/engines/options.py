"""What engines are started with: what a user sets, and the Spark options that suit this work."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from spark.errors import EngineUnavailable

DEFAULT_IMAGE = "tmdb-movies-spark:latest"
MEMORY_UNITS = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}

SESSION_OPTIONS = {"spark.sql.session.timeZone": "UTC"}
# A few movies to some hundred thousand: the defaults of both projects are made for far more.
SMALL_DATA_OPTIONS = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.shuffle.partitions": "4",
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.driver.extraJavaOptions": "-XX:+UseParallelGC -XX:TieredStopAtLevel=1",
    # Payloads are long: ten thousand of them, the default, are 200 MB.
    "spark.sql.execution.arrow.maxRecordsPerBatch": "1000",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}
# From so many movies on, compiling queries costs less than it saves.
LARGE_MOVIES = 20_000
LARGE_DATA_OPTIONS = {
    **SMALL_DATA_OPTIONS,
    "spark.sql.shuffle.partitions": "16",
    "spark.sql.codegen.wholeStage": "true",
    "spark.sql.codegen.factoryMode": "FALLBACK",
    "spark.driver.extraJavaOptions": "-XX:+UseParallelGC",
}
# An option of ours on a session: how it keeps results, where not by a local checkpoint.
KEPT_BY = "spark.tmdbMovies.resultsKeptBy"
CHECKPOINT, PERSIST = "checkpoint", "persist"
# And one on a session whose engine runs Python in this process.
EMBEDDED = "spark.tmdbMovies.embedded"
# And the folder of links to those whose names its engine does not take.
LINKS = "spark.tmdbMovies.links"


@dataclass(frozen=True)
class EngineOptions:
    """What a user sets about an engine; an engine passes over what it has no use for.

    Memory is given as Spark takes it (`2g`). `driver_memory` also caps the embedded engine. `lake_root`,
    `image` and `network` are for an engine in a container: what it has to reach, and how. `movies` is how
    many there are, about, which says what is worth its while.
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
    """The Spark options for about so many movies."""
    return LARGE_DATA_OPTIONS if movies >= LARGE_MOVIES else SMALL_DATA_OPTIONS


def bytes_of(memory: str) -> int:
    """Read an amount of memory as Spark takes it: `2g`, `512m`.

    Raises:
        EngineUnavailable: it is none.
    """
    amount = re.fullmatch(r"(\d+)([bkmgt]?)b?", memory.strip().lower())
    if amount is None:
        raise EngineUnavailable(f"{memory!r} is no amount of memory: write it like 2g or 512m.")
    return int(amount[1]) * MEMORY_UNITS[amount[2]]
