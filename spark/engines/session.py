"""Open engines by name; no other module knows the names."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from movies.embedded import Machine, is_installed, reason_missing
from spark.engines.cluster import driver_options, is_cluster, keep_on_server
from spark.engines.connect import connect, environment_defaults, lost_connections_not_warned_of
from spark.engines.container import spark_container
from spark.engines.decoder_pool import open_decoder_pool
from spark.engines.engine_options import EMBEDDED, LINKS, SESSION_OPTIONS, EngineOptions, bytes_of
from spark.engines.java import jvm_death, log_complaint, require_java, resolving_alone, ships_delta, stderr_to
from spark.engines.links import plain_temporary_place, temporary_folder
from spark.engines.object_store import object_store_options
from spark.engines.workers import prepare_workers
from spark.spark_errors import EngineDied, EngineError, EngineSilentError, EngineUnavailable

__all__ = [
    "OPENERS",
    "Engine",
    "EngineDied",
    "EngineError",
    "EngineOptions",
    "EngineUnavailable",
    "check_engine_settings",
    "open_engine",
]

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

logger = logging.getLogger(__name__)

POSSIBLE_MASTERS = "sail, docker, local[*], local[N], spark://… or sc://…"
# PySpark sets it for a Connect session. A classic session cannot be opened while it is set.
CONNECT_MODE = "SPARK_CONNECT_MODE_ENABLED"


class Engine:
    """A Spark session with all resources that must be closed with it.

    A process may have only one, because PySpark has one active session.

    >>> with open_engine("sail") as engine:
    ...     engine.session.range(3).count()
    """

    def __init__(
        self,
        name: str,
        session: SparkSession,
        resources: ExitStack,
        cause_of_death: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.name = name
        self.session = session
        self._resources = resources
        self._cause_of_death = cause_of_death

    @contextmanager
    def deaths_explained(self) -> Iterator[None]:
        """Explain errors of the block that come from the end of the engine.

        Raises:
            EngineDied: the engine has ended, and this replaces the error of the lost connection.
        """
        try:
            with lost_connections_not_warned_of():
                yield
        except Exception as error:
            if (cause := self._cause_of_death()) is not None:
                raise EngineDied(cause) from error
            raise

    def stop(self) -> None:
        """Stop the session and its server; safe to call again, and after an interrupt."""
        self._resources.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def open_engine(master: str, options: EngineOptions | None = None) -> Engine:
    """Open a session on the engine of a master (contract, section 2, `SPARK_MASTER`).

    Raises:
        EngineUnavailable: the master is unknown, or its engine cannot be used on this machine.
    """
    return _opener(master)(master, options or EngineOptions())


def check_engine_settings(master: str, *memory: str | None) -> None:
    """Reject settings that no engine can use, without starting one.

    Raises:
        EngineUnavailable: the master, an amount of memory or the folder for temporary files is not usable.
    """
    if _opener(master) is _open_embedded:
        plain_temporary_place()
    for amount in memory:
        if amount is not None:
            bytes_of(amount)


def _opener(master: str) -> Callable[..., Engine]:
    for pattern, opener in OPENERS.items():
        if re.fullmatch(pattern, master):
            return opener
    raise EngineUnavailable(f"{master!r} is not a valid SPARK_MASTER; expected {POSSIBLE_MASTERS}.")


def _open_embedded(master: str, options: EngineOptions) -> Engine:
    """Start the embedded Spark Connect server on a free port of loopback, and connect to it."""
    try:
        from pysail.spark import SparkConnectServer
    except ImportError as error:
        if is_installed():
            raise EngineUnavailable(
                f"The embedded engine cannot be loaded: {error}. Set SPARK_MASTER=local[*], which needs Java."
            ) from error
        reason = reason_missing(Machine.current())
        raise EngineUnavailable(f"{reason} Set SPARK_MASTER=local[*], which needs Java.") from error

    with ExitStack() as resources:
        # Folders for intermediate results and for links, deleted with the engine.
        results, links = (
            resources.enter_context(temporary_folder(plain_temporary_place())) for _ in range(2)
        )
        variables = {
            "RUST_LOG": "off",
            "SAIL_EXECUTION__CHECKPOINT__PATH": Path(results).as_uri(),
            # A row group is held in memory until it is written; by default it has a million rows.
            "SAIL_PARQUET__MAX_ROW_GROUP_SIZE": "16384",
            "SAIL_PARQUET__ALLOW_SINGLE_FILE_PARALLELISM": "false",
        }
        if options.driver_memory:
            variables["SAIL_RUNTIME__MEMORY_POOL__TYPE"] = "greedy"
            variables["SAIL_RUNTIME__MEMORY_POOL__GREEDY__MAX_SIZE"] = str(bytes_of(options.driver_memory))
        with environment_defaults(variables):
            server = SparkConnectServer(port=0)
            server.start(background=True)
        # The stack keeps the server from garbage collection, after which its client would hang.
        resources.callback(server.stop)
        host, port = server.listening_address
        session = connect(f"sc://{host}:{port}", resources)
        session.conf.set(EMBEDDED, "true")
        session.conf.set(LINKS, links)
        resources.enter_context(open_decoder_pool())
        return Engine(master, session, resources.pop_all())


def _open_jvm(master: str, options: EngineOptions) -> Engine:
    """Start Apache Spark with Delta in a JVM, as a local engine or as the driver of a cluster."""
    require_java()
    from delta import configure_spark_with_delta_pip
    from py4j.protocol import Py4JError  # type: ignore[import-untyped]
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    os.environ.pop(CONNECT_MODE, None)
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName(options.app_name)
    settings = {
        **SESSION_OPTIONS,
        **driver_options(master, options.cores, options.movies),
        **object_store_options(os.environ),
        "spark.driver.memory": options.driver_memory,
        "spark.executor.memory": options.executor_memory,
    }
    for name, value in settings.items():
        builder = builder.config(name, value) if value else builder
    resolves = not ships_delta()
    if resolves:
        builder = configure_spark_with_delta_pip(builder)
    with ExitStack() as resources:
        log = Path(resources.enter_context(temporary_folder())) / "spark.log"
        try:
            with stderr_to(log), resolving_alone() if resolves else nullcontext():
                session = builder.getOrCreate()
        except (PySparkException, Py4JError) as error:
            logger.error("Apache Spark did not start:\n%s", log.read_text(errors="replace"))
            hint = " (the first start downloads Delta's JARs)" if resolves else ""
            raise EngineSilentError(f"Apache Spark does not start: {log_complaint(log)}{hint}.") from error
        resources.callback(session.stop)
        if is_cluster(master):
            prepare_workers(session, resources.enter_context(temporary_folder()))
        return Engine(master, session, resources.pop_all(), lambda: jvm_death(session))


def _open_container(master: str, options: EngineOptions) -> Engine:
    """Start Apache Spark in a container of the project's Spark image, and connect to it."""
    from pyspark.errors import PySparkException

    with ExitStack() as resources:
        server = resources.enter_context(spark_container(options))
        try:
            session = connect(server.url, resources)
            prepare_workers(session, resources.enter_context(temporary_folder()))
        except PySparkException as error:
            raise EngineSilentError(
                server.cause_of_death or "Spark in the container does not answer."
            ) from error
        return Engine(master, session, resources.pop_all(), lambda: server.cause_of_death)


def _open_connect(master: str, options: EngineOptions) -> Engine:
    """Connect to a running Spark Connect server."""
    from pyspark.errors import PySparkException

    # The parameters after the address may have a token.
    name = f"sc://{urlsplit(master).netloc.partition(';')[0]}"
    with ExitStack() as resources:
        try:
            session = connect(master, resources)
        except PySparkException as error:
            raise EngineSilentError(f"No Spark Connect server answers at {name}.") from error
        prepare_workers(session, resources.enter_context(temporary_folder()))
        keep_on_server(session)
        return Engine(name, session, resources.pop_all())


OPENERS: dict[str, Callable[..., Engine]] = {
    r"sail": _open_embedded,
    r"docker": _open_container,
    r"local(\[(\*|\d+)\])?": _open_jvm,
    r"spark://.+": _open_jvm,
    r"sc://.+": _open_connect,
}
