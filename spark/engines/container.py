"""Run Apache Spark in a container for the length of a run."""

from __future__ import annotations

import contextvars
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spark.engines.connect_server import HEAP_IS_FULL, KILLED_FOR_MEMORY, PORT
from spark.engines.engine_options import LARGE_DATA_OPTIONS, LARGE_MOVIES, EngineOptions, bytes_of
from spark.spark_errors import EngineSilentError, EngineUnavailable

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container
    from docker.types import Mount

logger = logging.getLogger(__name__)

LABEL = "tmdb-movies.engine"
LOOPBACK = "127.0.0.1"
START_SECONDS = 120.0
STOP_SECONDS = 10
LOOK_SECONDS = 0.1
ATTEMPTS = 3  # on the host's network another process may take the free port first
DEFAULT_DRIVER_MEMORY = "1g"  # Spark's default
# Memory besides the heap: code, threads and network buffers.
OVERHEAD_BYTES, OVERHEAD_SHARE = 768 * 2**20, 0.25
# Variables for object stores. Keys are only in the environment of the two processes that use them.
OBJECT_STORE_VARIABLES = ("AWS_", "GOOGLE_", "AZURE_")


class SparkContainer:
    """A running container with a Spark Connect server; it stops with `stop` or the end of this process.

    This process keeps the container's standard input open. If this process ends, even by a kill, the input
    ends, and Spark stops.
    """

    def __init__(self, container: Container, held_input: Any, url: str) -> None:
        self._container = container
        self._held_input = held_input
        self.url = url
        self._last_words: list[str] = []
        self._ended = threading.Event()
        # In a copy of this context, so that log lines belong to the flow run that opened the engine.
        context = contextvars.copy_context()
        self._reader = threading.Thread(target=context.run, args=(self._read_log,), daemon=True)
        self._reader.start()

    @property
    def cause_of_death(self) -> str | None:
        """A sentence about why the container ended by itself; None while it runs."""
        if not self._ended.wait(LOOK_SECONDS):
            return None
        if KILLED_FOR_MEMORY in self._last_words:
            return f"{KILLED_FOR_MEMORY}: raise SPARK_DRIVER_MEMORY, or run on fewer SPARK_CORES"
        if HEAP_IS_FULL in self._last_words:
            return f"{HEAP_IS_FULL}: raise SPARK_DRIVER_MEMORY"
        return (
            f"The Spark container ended by itself: {self._last_words[-1] if self._last_words else 'no log'}"
        )

    def await_port(self) -> None:
        """Wait until the server listens.

        Raises:
            EngineSilentError: the container has ended, or the time is over.
        """
        host, _, port = self.url.removeprefix("sc://").partition(":")
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._ended.wait(LOOK_SECONDS):
                raise EngineSilentError(self.cause_of_death or "The Spark container ended")
            # Docker accepts and drops connections to a forwarded port before the server listens; a server
            # sends a greeting.
            with suppress(OSError), socket.create_connection((host, int(port)), timeout=1) as probe:
                if probe.recv(1):
                    return
        raise EngineSilentError(f"Spark in the container did not listen within {START_SECONDS:.0f} s")

    def stop(self) -> None:
        """Stop the container, which then removes itself; harmless if it has ended already."""
        from docker.errors import APIError, NotFound

        # Closing the socket is not enough, because the response, private in docker 7, keeps it open.
        self._held_input._response.close()
        try:
            self._container.stop(timeout=STOP_SECONDS)
            self._container.wait(condition="removed")
        except NotFound:
            pass
        except APIError as error:
            if "removal" not in str(error):  # it is being removed already
                raise
        self._reader.join(STOP_SECONDS)

    def _read_log(self) -> None:
        from docker.errors import DockerException

        try:
            for line in _lines(self._container.logs(stream=True, follow=True)):
                logger.info("%s", line)
                self._last_words = [*self._last_words[-19:], line]
        except (OSError, DockerException) as error:
            logger.info("Spark's log ends here: %s", error)
        self._ended.set()


@contextmanager
def spark_container(options: EngineOptions) -> Iterator[SparkContainer]:
    """Run a Spark Connect server in a container for the length of the block.

    Raises:
        EngineUnavailable: there is no Docker engine, no such image, or Spark does not start.
    """
    import docker
    from docker.errors import DockerException

    try:
        client = docker.from_env()
    except DockerException as error:
        raise EngineUnavailable(
            "No Docker engine answers. Start one, or set another SPARK_MASTER."
        ) from error
    try:
        _remove_never_started(client)
        server = _start(client, options)
        try:
            yield server
        finally:
            server.stop()
    finally:
        client.close()


def _remove_never_started(client: DockerClient) -> None:
    """Remove containers of runs that were killed between creating and starting them."""
    from docker.errors import APIError

    never_started = {"label": f"{LABEL}=spark", "status": "created"}
    for container in client.containers.list(all=True, filters=never_started, ignore_removed=True):
        made = datetime.fromisoformat(container.attrs["Created"][:19] + "+00:00")
        if datetime.now(UTC) - made > timedelta(seconds=START_SECONDS):
            with suppress(APIError):  # another run may be removing it, too
                container.remove(force=True)


def _start(client: DockerClient, options: EngineOptions) -> SparkContainer:
    for attempt in range(1, ATTEMPTS + 1):
        server = _create(client, options)
        try:
            server.await_port()
            return server
        except BaseException as error:
            server.stop()
            if attempt == ATTEMPTS or not _is_port_taken(error):
                raise
    raise AssertionError("every attempt returns or raises")


def _create(client: DockerClient, options: EngineOptions) -> SparkContainer:
    from docker.errors import APIError, ImageNotFound

    on_host = options.network == "host"
    port = _free_port() if on_host else PORT
    memory = options.driver_memory or DEFAULT_DRIVER_MEMORY
    command = ["python", "-m", "spark.engines.connect_server", "--until-stdin-closes", "--port", str(port)]
    command += ["--driver-memory", memory]
    command += ["--address", LOOPBACK] if on_host else []
    command += ["--cores", str(options.cores)] if options.cores else []
    if options.movies >= LARGE_MOVIES:
        # Java options are left to the server.
        settings = [f"{name}={value}" for name, value in LARGE_DATA_OPTIONS.items() if ".sql." in name]
        command += [part for setting in settings for part in ("--conf", setting)]
    try:
        container = client.containers.create(
            options.image,
            command,
            stdin_open=True,
            auto_remove=True,
            labels={LABEL: "spark"},
            environment=_environment(),
            mounts=_mounts(options.lake_root),
            user=f"{os.getuid()}:{os.getgid()}" if hasattr(os, "getuid") else None,
            mem_limit=memory_limit(memory),
            nano_cpus=options.cores * 10**9 if options.cores else None,
            network_mode=options.network,
            ports=None if on_host else {f"{PORT}/tcp": (LOOPBACK, None)},
            read_only=True,
            tmpfs={"/tmp": "exec,mode=1777"},
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
        )
    except ImageNotFound as error:
        raise EngineUnavailable(
            f"There is no image {options.image}. Build it with "
            "`docker build -f docker/spark.Dockerfile -t tmdb-movies-spark .`, or set SPARK_IMAGE."
        ) from error
    except APIError as error:
        raise EngineUnavailable(f"Docker rejects the Spark container: {error.explanation}") from error
    try:
        held_input = container.attach_socket(params={"stdin": 1, "stream": 1})
        container.start()
        container.reload()
        published = container.ports.get(f"{PORT}/tcp")
    except APIError as error:
        container.remove(force=True)
        raise EngineUnavailable(f"Docker does not start the Spark container: {error.explanation}") from error
    if not on_host:
        port = int(published[0]["HostPort"])
    return SparkContainer(container, held_input, f"sc://{LOOPBACK}:{port}")


def _mounts(lake_root: str | None) -> list[Mount]:
    """Mount the lake at its own path, so that tables have the same paths inside and outside."""
    from docker.types import Mount

    if lake_root is None or "://" in lake_root:
        return []
    Path(lake_root).mkdir(parents=True, exist_ok=True)
    # Not in the syntax of volumes, in which a colon ends the path.
    return [Mount(lake_root, lake_root, type="bind")]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(OBJECT_STORE_VARIABLES)}


def memory_limit(driver_memory: str | None) -> int:
    """Return the bytes that a container needs for Spark with this heap."""
    heap = bytes_of(driver_memory or DEFAULT_DRIVER_MEMORY)
    return heap + max(OVERHEAD_BYTES, int(heap * OVERHEAD_SHARE))


def _free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as listener:
        return int(listener.getsockname()[1])


def _is_port_taken(error: BaseException) -> bool:
    return "Address already in use" in str(error) or "BindException" in str(error)


def _lines(chunks: Iterator[bytes]) -> Iterator[str]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line.decode(errors="replace").rstrip() for line in whole)
    if rest:
        yield rest.decode(errors="replace")
