"""Run servers as child processes on a free loopback port, which end with their parent.

Parent: `with LoopbackServer.start("package.module:create_app") as server: ... server.url`.
Child: `python -m movies.loopback package.module:create_app [--port N]`. It listens before it imports the
application, so its port is known within milliseconds, and early connections wait in the backlog. Its standard
input is a pipe from the parent. It stops at end of file, which also comes if the parent is killed.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # each import would delay the child by milliseconds
    import subprocess
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

HOST = "127.0.0.1"
BACKLOG = 2048
START_SECONDS = 30.0  # until the port is printed; the application loads after that
GRACE_SECONDS = 3.0  # for requests in flight when the server stops
KEEP_ALIVE_SECONDS = 75  # uvicorn's 5 closes connections that a client's pool is about to use again
USAGE = "usage: python -m movies.loopback MODULE:FACTORY [--port N]"


class LoopbackServerError(Exception):
    """A server process ended, or was killed, before it printed its port."""

    is_temporary = True


class LoopbackServer:
    """A running server process, as its parent sees it."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._process = process
        self.port = port
        self.url = f"http://{HOST}:{port}"

    @classmethod
    def start(
        cls,
        factory: str,
        *,
        env: Mapping[str, str] | None = None,
        log: Path | None = None,
        port: int = 0,
    ) -> LoopbackServer:
        """Start `MODULE:FACTORY` in a child process, and return when its port accepts connections.

        Args:
            factory: a callable without arguments that returns an ASGI application.
            env: variables set on top of this process's environment.
            log: file to append the child's output to; without it the output is dropped.
            port: the port to listen on; 0 chooses a free one.

        Raises:
            LoopbackServerError: the process could not start or listen.
        """
        import subprocess

        from movies.proxies import keep_loopback_direct

        keep_loopback_direct()
        # -P keeps the working folder off the child's `sys.path`.
        command = [sys.executable, "-P", "-m", __name__, factory, "--port", str(port)]
        options: dict[str, object]
        if sys.platform == "win32":
            options = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        else:
            options = {"process_group": 0}  # Ctrl-C must not reach a child that does not ignore it yet
        output = os.open(log or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env={**os.environ, **(env or {})},
                bufsize=0,
                **options,  # type: ignore[call-overload]
            )
        except OSError as error:
            raise LoopbackServerError(f"{factory} could not be started: {error}") from error
        finally:
            os.close(output)
        try:
            return cls(process, _read_port(process, factory))
        except BaseException:
            cls(process, 0).stop(grace_seconds=0)
            raise

    @property
    def alive(self) -> bool:
        """Whether the server process is running."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    def stop(self, grace_seconds: float = GRACE_SECONDS + 1) -> None:
        """Stop the server, and kill it after the grace period; harmless if it has ended already."""
        import subprocess

        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> LoopbackServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def _read_port(process: subprocess.Popen[bytes], factory: str) -> int:
    assert process.stdout is not None
    overdue = threading.Timer(START_SECONDS, process.kill)
    overdue.daemon = True
    overdue.start()
    try:
        with process.stdout as pipe:
            line = pipe.readline().decode(errors="replace").strip()
    finally:
        overdue.cancel()
    if line.isdecimal():
        return int(line)
    status = process.wait()
    raise LoopbackServerError(f"{factory} ended with status {status} before it listened. {line}".strip())


def listen(host: str, port: int) -> socket.socket:
    """Open a socket that accepts connections from now on.

    Raises:
        OSError: the port cannot be used.
    """
    # asyncio switches off Nagle's delay (40 ms a response) only if the protocol is named.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":  # the option has another meaning on Windows
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def serve(factory: str, port: int = 0) -> None:
    """Serve an ASGI factory until standard input ends; the port is the only line of output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        listener = listen(HOST, port)
    except OSError as error:
        _write_line(f"Port {port} cannot be used: {error}")
        raise SystemExit(1) from error
    _write_line(str(listener.getsockname()[1]))
    os.dup2(2, 1)  # the parent does not read the pipe from here on
    parent = _Parent()

    import contextlib
    from collections.abc import Iterator

    import uvicorn

    class Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            # uvicorn would handle SIGINT, which this process ignores.
            signal.signal(signal.SIGTERM, self.handle_exit)
            yield

    config = uvicorn.Config(
        factory,
        factory=True,
        lifespan="on",
        log_level="error",
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=int(GRACE_SECONDS) - 1,
    )
    server = Server(config)
    parent.end_gracefully = lambda: setattr(server, "should_exit", True)
    server.run(sockets=[listener])


class _Parent:
    """Waits in a thread for the end of the parent, and then stops this process."""

    def __init__(self) -> None:
        self.end_gracefully: Callable[[], None] = lambda: os._exit(0)
        threading.Thread(target=self._await_end, daemon=True).start()

    def _await_end(self) -> None:
        try:
            while os.read(0, 1024):
                pass
        except OSError:
            pass  # no standard input at all: there is no parent
        self.end_gracefully()
        threading.Event().wait(GRACE_SECONDS)
        os._exit(0)


def _write_line(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> None:
    """Run the child from its command line."""
    match arguments:
        case [factory] if ":" in factory:
            serve(factory)
        case [factory, "--port", port] if ":" in factory and port.isdecimal():
            serve(factory, int(port))
        case ["--help" | "-h"]:
            _write_line(USAGE)
        case _:
            sys.stderr.write(f"{USAGE}\n")
            raise SystemExit(2)


if __name__ == "__main__":
    main(sys.argv[1:])
