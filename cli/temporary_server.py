"""A Prefect server for one run, with the database in Prefect's home or, if that fails, a temporary one."""

from __future__ import annotations

import logging
import os
import re
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.request import urlopen

from movies.loopback import LoopbackServer, LoopbackServerError

logger = logging.getLogger(__name__)

API_FACTORY = "prefect.server.api.server:create_app"
SERVER_ENVIRONMENT = {
    "PREFECT_UI_ENABLED": "0",
    "PREFECT__SERVER_EPHEMERAL": "1",
    "PREFECT__SERVER_FINAL": "1",
}
DATABASE = "prefect.db"
# Both names are Prefect's. They override what a profile or another variable says about the database.
DATABASE_SETTINGS = ("PREFECT_SERVER_DATABASE_CONNECTION_URL", "PREFECT_API_DATABASE_CONNECTION_URL")
# The migrations of a new database take 8 s on two idle cores, and several times that on busy ones.
START_SECONDS = 90.0
# After this time the run says what it waits for.
NOTICE_SECONDS = 15.0
# Another process has finished its write by then; Prefect itself would wait for a minute.
LOCK_SECONDS = 1.0
ERROR_LINE = re.compile(r"^(?:[\w.]+\.)?(\w*(?:Error|Exception)): (.+)$", re.MULTILINE)
OTHER_VERSION = "Can't locate revision"


class PrefectApiError(Exception):
    """There is no Prefect API for the run; the text says why and what to do (exit status 1)."""


class TemporaryServer:
    """A Prefect server in a child process, on one port for its whole life.

    If Prefect's home or its database cannot be used, the server uses a temporary folder, which is deleted
    when the server stops.
    """

    def __init__(self, home: Path, profiles: Path) -> None:
        """Start the server without waiting until it responds.

        Raises:
            PrefectApiError: no process can be started.
        """
        self._folder = Path(tempfile.mkdtemp(prefix="tmdb-movies-prefect-"))
        self._home = home
        self._complaint: str | None = None
        self._server: LoopbackServer | None = None
        if (reason := unwritable(home)) is not None:
            # The run stores results there, too. The profiles stay where they are.
            os.environ.setdefault("PREFECT_PROFILES_PATH", str(profiles))
            os.environ["PREFECT_HOME"] = str(self._folder)
        elif not any(os.environ.get(name) for name in DATABASE_SETTINGS):
            reason = unusable(home / DATABASE)
        self._start(reason)

    @property
    def api_url(self) -> str:
        """The URL of the server's API."""
        return f"{self._running.url}/api"

    def await_answer(self, say: Callable[[str], None]) -> None:
        """Wait until the server responds; if it exits or blocks, start it again with a temporary database.

        Raises:
            PrefectApiError: it does not respond then either.
        """
        if self._complaint is None:
            if self._answers(say):
                return
            self._running.stop(grace_seconds=1)
            self._start(self._cause())
        assert self._complaint is not None
        say(self._complaint)
        if not self._answers(say):
            raise self._error(self._cause())

    def stop(self) -> None:
        """Stop the server and delete its folder; a second call does nothing."""
        if self._server is not None:
            self._server.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _running(self) -> LoopbackServer:
        assert self._server is not None
        return self._server

    @property
    def _log(self) -> Path:
        return self._folder / "server.log"

    def _start(self, reason: str | None) -> None:
        """Start the server, with a temporary database if there is a reason; a restart uses the same port."""
        # The run silences Prefect's console, but the server's errors must be in its log.
        environment = SERVER_ENVIRONMENT | {"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "ERROR"}
        if reason is not None:
            logger.warning("Prefect's database in %s cannot be used: %s", self._home, reason)
            self._complaint = (
                f"Prefect's database in {self._home} cannot be used ({reason}): "
                "Prefect's record of this run is temporary."
            )
            database = f"sqlite+aiosqlite:///{self._folder / DATABASE}"
            environment |= {"PREFECT_HOME": str(self._folder), **dict.fromkeys(DATABASE_SETTINGS, database)}
        port = 0 if self._server is None else self._server.port
        self._log.unlink(missing_ok=True)
        try:
            self._server = LoopbackServer.start(API_FACTORY, env=environment, log=self._log, port=port)
        except LoopbackServerError as error:
            self.stop()
            raise self._error(str(error)) from error

    def _answers(self, say: Callable[[str], None]) -> bool:
        began = time.monotonic()
        is_noticed = False
        while (left := began + START_SECONDS - time.monotonic()) > 0 and self._running.alive:
            try:
                # The connection waits in the backlog until the server has started, or is reset when it dies.
                timeout = left if is_noticed else min(left, NOTICE_SECONDS)
                with urlopen(f"{self._running.url}/api/health", timeout=timeout) as answer:
                    return bool(answer.status == 200)
            except TimeoutError:
                is_noticed = True
                if self._complaint is None and unusable(self._home / DATABASE) is not None:
                    return False
                say(f"Prefect's temporary server is slow to start: waiting up to {START_SECONDS:.0f} s.")
            except OSError as error:
                logger.warning("Prefect's temporary server does not respond: %s", error)
                return False
        return False

    def _cause(self) -> str:
        """Return why the server did not start, from its output."""
        text = self._log.read_text(errors="replace") if self._log.exists() else ""
        logger.warning("Prefect's temporary server said:\n%s", text)
        if OTHER_VERSION in text:
            return "another version of Prefect has changed it"
        if (reason := unusable(self._home / DATABASE)) is not None:
            return reason
        errors = ERROR_LINE.findall(text)
        return f"{errors[-1][0]}: {errors[-1][1]}" if errors else f"no response within {START_SECONDS:.0f} s"

    def _error(self, reason: str) -> PrefectApiError:
        return PrefectApiError(
            f"Prefect's temporary server does not start: {reason}. Set PREFECT_HOME to an empty folder, or "
            "start a server with `prefect server start` and set PREFECT_API_URL"
        )


def unwritable(folder: Path) -> str | None:
    """Create a folder if it does not exist; return why it cannot be written, or None if it can."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return error.strerror or str(error)


def unusable(database: Path) -> str | None:
    """Return why a SQLite file cannot be written now, or None if it can be or does not exist."""
    if not database.exists():
        return None
    try:
        with closing(sqlite3.connect(database, timeout=LOCK_SECONDS, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        return str(error)
    return None
