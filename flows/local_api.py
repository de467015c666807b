"""Prefect's API for a run on this machine, up before Prefect itself is imported.

With no server configured Prefect starts a temporary one itself, but only after importing the whole server
into the client, and waits for it idly. Started first and in parallel, it is up by the time the flow is
imported (`benchmarks/README.md` has the seconds).
"""

from __future__ import annotations

import atexit
import logging
import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

from loopback import LoopbackServer, LoopbackServerError
from tasks.run_logs import OWN_PACKAGES

logger = logging.getLogger(__name__)

# A fresh database takes its migrations: 8 s on two quiet cores.
START_SECONDS = 90.0
API_FACTORY = "prefect.server.api.server:create_app"

# Says where Prefect's API is, or that a temporary one is not wanted; found in the environment, a profile,
# `.env`, `prefect.toml` or `pyproject.toml`, as Prefect reads them.
API_SETTINGS = ("PREFECT_API_URL", "PREFECT_API_KEY", "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE")

# What the flow's process tells Prefect before importing it; whatever the user has set wins.
RUN_ENVIRONMENT = {
    # These packages log through `logging`; their records belong to the run they were made in.
    "PREFECT_LOGGING_EXTRA_LOGGERS": ",".join(OWN_PACKAGES),
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    # The terminal gets progress and a summary; everything else is in the log files and in Prefect.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
}
SERVER_ENVIRONMENT = {
    "PREFECT_UI_ENABLED": "0",
    "PREFECT__SERVER_EPHEMERAL": "1",
    "PREFECT__SERVER_FINAL": "1",
}


# Whether Prefect's API lives for this run only: nobody else is there to share anything with, or to be told.
IS_TEMPORARY: ContextVar[bool] = ContextVar("is_temporary", default=False)


class LocalApi:
    """Our temporary server, or none where an API is configured."""

    def __init__(self, server: LoopbackServer | None) -> None:
        self._server = server

    @contextmanager
    def ready(self) -> Iterator[None]:
        """Wait until the server answers; where it does not, let Prefect start its own for the block."""
        if self._server is None or self._answers(self._server):
            yield
            return
        from prefect.settings import PREFECT_API_URL, temporary_settings

        with temporary_settings(restore_defaults={PREFECT_API_URL}):
            yield

    def _answers(self, server: LoopbackServer) -> bool:
        # Without proxies: one from the environment would be asked for this machine's own loopback.
        opener = build_opener(ProxyHandler({}))
        try:
            # The connection waits in the backlog until the server has started, or is reset when it dies.
            with opener.open(f"{server.url}/api/health", timeout=START_SECONDS) as answer:
                return bool(answer.status == 200)
        except OSError as error:
            logger.warning("the temporary Prefect server did not start (%s): Prefect starts its own", error)
            return False


def start_local_api() -> LocalApi:
    """Have an API for the rest of this process: the configured one, else a temporary one of our own.

    Must be called before `prefect` is imported. Where the temporary one does not start, nothing is
    configured, and Prefect starts its own.
    """
    for name, value in RUN_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if is_api_configured(os.environ, Path.cwd()):
        return LocalApi(None)
    IS_TEMPORARY.set(True)
    try:
        server = LoopbackServer.start(API_FACTORY, env=SERVER_ENVIRONMENT)
    except LoopbackServerError:
        return LocalApi(None)
    # Registered before Prefect's own exit handlers, and so run after them: they send the last logs.
    atexit.register(server.stop)
    os.environ["PREFECT_API_URL"] = f"{server.url}/api"
    return LocalApi(server)


def is_api_configured(environment: Mapping[str, str], folder: Path) -> bool:
    """Whether Prefect would find an API by itself, judged without importing it."""
    if _configures(environment):
        return True
    home = Path(environment.get("PREFECT_HOME") or Path.home() / ".prefect").expanduser()
    profiles_path = Path(environment.get("PREFECT_PROFILES_PATH") or home / "profiles.toml").expanduser()
    profiles = _read_toml(profiles_path)
    name = environment.get("PREFECT_PROFILE") or profiles.get("active")
    profile = profiles.get("profiles", {}).get(name, {})
    if _configures(profile):
        return True
    tool = _read_toml(folder / "pyproject.toml").get("tool", {})
    tables = (_read_toml(folder / "prefect.toml"), tool.get("prefect", {}))
    if any("api" in table for table in tables):
        return True
    dotenv = folder / ".env"
    return dotenv.is_file() and "PREFECT_API_" in dotenv.read_text(errors="replace")


def _configures(settings: Mapping[str, Any]) -> bool:
    # Allowing the temporary server, as Prefect's default profile does, configures no other.
    return any(str(settings.get(name) or "true").lower() != "true" for name in API_SETTINGS)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except (OSError, ValueError):
        return {}
