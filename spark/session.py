"""Engines: the only module that knows their names."""

from __future__ import annotations

import logging
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from spark.errors import EngineError, EngineUnavailable
from spark.java import log_complaint, require_java, ships_delta, stderr_to

__all__ = ["Engine", "EngineError", "EngineUnavailable", "check_engine_settings", "open_engine"]

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

logger = logging.getLogger(__name__)

POSSIBLE_MASTERS = "sail, local[*], local[N], spark://… or sc://…"
# Set by PySpark when it opens a Connect session; a classic session cannot be opened while it is there.
CONNECT_MODE = "SPARK_CONNECT_MODE_ENABLED"

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
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}
# A server that is not there is told in seconds; the client's own policy tries for minutes.
CONNECT_RETRIES = 3
FIRST_WAIT_MS, LONGEST_WAIT_MS = 200, 1000
# Its handlers of `fork` break what a process that speaks gRPC starts next, such as a JVM now and then.
GRPC_OPTIONS = {"GRPC_VERBOSITY": "NONE", "GRPC_ENABLE_FORK_SUPPORT": "false"}
MEMORY_UNITS = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


class Engine:
    """A Spark session with all that must go when it does.

    One at a time in a process: PySpark knows one active session.

    >>> with open_engine("sail") as engine:
    ...     engine.session.range(3).count()
    """

    def __init__(self, name: str, session: SparkSession, resources: ExitStack) -> None:
        self.name = name
        self.session = session
        self._resources = resources

    def stop(self) -> None:
        """Stop the session and what serves it; safe to call again, and after an interrupt."""
        self._resources.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def open_engine(
    master: str,
    *,
    app_name: str = "tmdb-movies",
    driver_memory: str | None = None,
    executor_memory: str | None = None,
) -> Engine:
    """Open a session on the engine that a master names (contract, section 2, `SPARK_MASTER`).

    Memory is given as Spark takes it (`2g`). `driver_memory` also caps the embedded engine; an engine that
    runs elsewhere has its own.

    Raises:
        EngineUnavailable: the master is unknown, or its engine cannot be had on this machine.
    """
    return _opener(master)(
        master, app_name=app_name, driver_memory=driver_memory, executor_memory=executor_memory
    )


def check_engine_settings(master: str, *memory: str | None) -> None:
    """Tell what open_engine could never use, without starting anything.

    Raises:
        EngineUnavailable: the master names no engine, or an amount of memory is none.
    """
    _opener(master)
    for amount in memory:
        if amount is not None:
            _bytes(amount)


def _opener(master: str) -> Callable[..., Engine]:
    for pattern, opener in _OPENERS.items():
        if re.fullmatch(pattern, master):
            return opener
    raise EngineUnavailable(f"{master!r} is no engine: SPARK_MASTER may be {POSSIBLE_MASTERS}.")


def _open_embedded(master: str, *, driver_memory: str | None = None, **_: Any) -> Engine:
    """Start the embedded Spark Connect server on a free port of loopback, and connect to it."""
    try:
        from pysail.spark import SparkConnectServer
    except ImportError as error:
        raise EngineUnavailable(
            "The embedded engine has no build for this machine: set SPARK_MASTER=local[*] (needs Java)."
        ) from error

    with ExitStack() as resources:
        # Where intermediate results are kept for as long as the engine runs.
        kept = Path(resources.enter_context(_temporary_folder()))
        options = {"RUST_LOG": "off", "SAIL_EXECUTION__CHECKPOINT__PATH": kept.as_uri()}
        if driver_memory:
            options["SAIL_RUNTIME__MEMORY_POOL__TYPE"] = "greedy"
            options["SAIL_RUNTIME__MEMORY_POOL__GREEDY__MAX_SIZE"] = str(_bytes(driver_memory))
        with _environment_defaults(options):
            server = SparkConnectServer(port=0)
            server.start(background=True)
        # Held by the stack, the server is not collected: its client would hang.
        resources.callback(server.stop)
        host, port = server.listening_address
        session = _connect(f"sc://{host}:{port}", resources)
        return Engine(master, session, resources.pop_all())


def _open_jvm(
    master: str, *, app_name: str, driver_memory: str | None, executor_memory: str | None
) -> Engine:
    """Start Apache Spark with Delta in a JVM of this process, or as a driver of a cluster."""
    require_java()
    from delta import configure_spark_with_delta_pip
    from py4j.protocol import Py4JError  # type: ignore[import-untyped]
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    os.environ.pop(CONNECT_MODE, None)
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(master).appName(app_name)
    options = SESSION_OPTIONS | SMALL_DATA_OPTIONS
    options |= {"spark.driver.memory": driver_memory} if driver_memory else {}
    options |= {"spark.executor.memory": executor_memory} if executor_memory else {}
    for option, value in options.items():
        builder = builder.config(option, value)
    if not ships_delta():
        builder = configure_spark_with_delta_pip(builder)
    with ExitStack() as resources:
        log = Path(resources.enter_context(_temporary_folder())) / "spark.log"
        try:
            with stderr_to(log):
                session = builder.getOrCreate()
        except (PySparkException, Py4JError) as error:
            logger.debug("Apache Spark did not start:\n%s", log.read_text(errors="replace"))
            reason = log_complaint(log)
            raise EngineUnavailable(
                f"Apache Spark does not start: {reason} (Delta's JARs come over the network once)."
            ) from error
        resources.callback(session.stop)
        return Engine(master, session, resources.pop_all())


def _open_connect(master: str, **_: Any) -> Engine:
    """Connect to a Spark Connect server that runs already."""
    from pyspark.errors import PySparkException

    # What follows the address may hold a token.
    name = f"sc://{urlsplit(master).netloc.partition(';')[0]}"
    with ExitStack() as resources:
        try:
            session = _connect(master, resources)
        except PySparkException as error:
            raise EngineUnavailable(f"No Spark Connect server answers at {name}.") from error
        return Engine(name, session, resources.pop_all())


_OPENERS: dict[str, Callable[..., Engine]] = {
    r"sail": _open_embedded,
    r"local(\[(\*|\d+)\])?": _open_jvm,
    r"spark://.+": _open_jvm,
    r"sc://.+": _open_connect,
}


def _connect(url: str, resources: ExitStack) -> SparkSession:
    """Open a session of its own on a Spark Connect server, proven by a first answer."""
    with _environment_defaults(GRPC_OPTIONS), warnings.catch_warnings():
        # gRPC reads its settings when it is imported.
        from pyspark.sql import SparkSession
        from pyspark.sql.connect.client.retries import DefaultPolicy

        warnings.filterwarnings("ignore", message=r"\[RETRIES_EXCEEDED\]")
        session = SparkSession.builder.remote(url).create()
        resources.callback(session.stop)
        # Without, a client that was interrupted asks a stopping server for ever, and a dead one for long.
        resources.callback(session.client.set_retry_policies, [])
        policy = DefaultPolicy(
            max_retries=CONNECT_RETRIES, initial_backoff=FIRST_WAIT_MS, max_backoff=LONGEST_WAIT_MS
        )
        session.client.set_retry_policies([policy])
        for option, value in SESSION_OPTIONS.items():
            session.conf.set(option, value)
    return session


def _bytes(memory: str) -> int:
    """Read an amount of memory as Spark takes it: `2g`, `512m`."""
    amount = re.fullmatch(r"(\d+)([bkmgt]?)b?", memory.strip().lower())
    if amount is None:
        raise EngineUnavailable(f"{memory!r} is no amount of memory: write it like 2g or 512m.")
    return int(amount[1]) * MEMORY_UNITS[amount[2]]


def _temporary_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="tmdb-movies-", ignore_cleanup_errors=True)


@contextmanager
def _environment_defaults(values: Mapping[str, str]) -> Iterator[None]:
    """Set those variables that are not set, for as long as they are read."""
    added = [name for name in values if name not in os.environ]
    os.environ.update({name: values[name] for name in added})
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
