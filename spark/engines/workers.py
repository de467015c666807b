"""Decode payloads on an engine's Python workers, which may have another machine and version of Python."""

from __future__ import annotations

import logging
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from spark import payloads
from spark.engines.decoder_pool import decode_side_by_side
from spark.engines.engine_options import EMBEDDED
from spark.payloads import DECODED, KEPT, decode_payloads
from spark.spark_errors import EngineUnavailable

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

logger = logging.getLogger(__name__)

# Files that a worker needs to import the function by name.
SHIPPED = ("__init__.py", "payloads.py")
SPARK_TYPES = {"long": "bigint", "integer": "int"}
SCHEMA = ", ".join(f"`{name}` {SPARK_TYPES.get(kind, kind)}" for name, kind in DECODED.items())
# Our own option of a session: the Python version of its workers, if it differs from this one.
WORKERS_PYTHON = "spark.tmdbMovies.workersPython"
OTHER_PYTHON = re.compile(r"different version: (\d+\.\d+)")
MISSING_MODULE = re.compile(r"No module named '([\w.]+)'")
ONE_PAYLOAD = "SELECT 1L AS movie_id, current_timestamp() AS fetched_at, 'b' AS batch_id, '{}' AS payload"


def decode(raw: DataFrame) -> DataFrame:
    """Decode raw rows into the columns of `DECODED`, one row for each payload."""
    is_embedded = raw.sparkSession.conf.get(EMBEDDED, None) is not None
    function = decode_side_by_side if is_embedded else decode_payloads
    decoded = raw.select(*KEPT, "payload").mapInArrow(function, SCHEMA)
    if python := raw.sparkSession.conf.get(WORKERS_PYTHON, None):
        # The function is sent by name, with its module's source, so any version of Python can run it.
        # PySpark's version check is for functions that are sent as bytecode.
        decoded._plan._function._function._python_ver = python  # type: ignore[attr-defined]
    return decoded


def pack_modules(folder: str) -> str:
    """Pack the modules that `decode` needs into a zip archive for import."""
    archive = Path(folder) / "tmdb_movies_payloads.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for name in SHIPPED:
            packed.write(Path(payloads.__file__).with_name(name), f"{payloads.__package__}/{name}")
    return str(archive)


def prepare_workers(session: SparkSession, folder: str) -> None:
    """Send the modules of `decode` to the workers of a session, and check that they can run it.

    The folder has a copy, and must exist as long as the session, because later workers fetch it, too.

    Raises:
        EngineUnavailable: the workers cannot run it, usually because a package is missing.
    """
    from pyspark.errors import PySparkException

    send_modules(session, folder)
    try:
        try:
            decode(session.sql(ONE_PAYLOAD)).collect()
        except PySparkException as error:
            other = OTHER_PYTHON.search(str(error))
            if other is None or is_driver(session):
                raise
            session.conf.set(WORKERS_PYTHON, other[1])
            decode(session.sql(ONE_PAYLOAD)).collect()
    except PySparkException as error:
        logger.error("Spark's Python workers failed:\n%s", error)
        raise EngineUnavailable(
            f"Spark's Python workers cannot decode payloads: {_cause(str(error))} "
            "(the Spark image has all they need)."
        ) from error


def send_modules(session: SparkSession, folder: str) -> None:
    """Send the source of the modules of `decode` to the workers."""
    from pyspark.errors import UnsupportedOperationException

    archive = pack_modules(folder)
    if is_driver(session):
        session.sparkContext.addPyFile(archive)
        return
    try:
        session.addArtifacts(archive, pyfile=True)
    except UnsupportedOperationException:
        logger.info("The server accepts no modules: its workers use their own")


def is_driver(session: SparkSession) -> bool:
    """Return whether this process is Spark's driver; otherwise that is a Spark Connect server."""
    return hasattr(session, "_jsparkSession")


def _cause(text: str) -> str:
    if missing := MISSING_MODULE.search(text):
        return f"{missing[1]} is missing there"
    if other := OTHER_PYTHON.search(text):
        return f"they run Python {other[1]}, and a driver needs the same as its own"
    return "the log file says why"
