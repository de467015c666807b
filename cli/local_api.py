"""Prefect's API for a run on this machine, started before Prefect itself is imported.

If no server is configured, Prefect starts a temporary one itself, but only after it has imported the whole
server, and then waits for it. Started first and in parallel, the server is up when the flow is imported
(`benchmarks/README.md` has the seconds).
"""

from __future__ import annotations

import atexit
import os
import tomllib
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

from cli.temporary_server import PrefectApiError, TemporaryServer
from movies.project import OWN_PACKAGES

# How long a configured API may take to respond.
ANSWER_SECONDS = 20.0

# Settings that name Prefect's API or forbid a temporary one. Prefect reads them from the environment, a
# profile, `.env`, `prefect.toml` or `pyproject.toml`.
API_SETTINGS = ("PREFECT_API_URL", "PREFECT_API_KEY", "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE")

# Variables for Prefect, set before it is imported unless the user has set them.
RUN_ENVIRONMENT = {
    # These packages log through `logging`; their records belong to the run they were made in.
    "PREFECT_LOGGING_EXTRA_LOGGERS": ",".join(OWN_PACKAGES),
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    # The terminal gets progress and a summary; everything else is in the log files and in Prefect.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
}


class PrefectSettingsError(Exception):
    """Prefect's settings are not valid; the text says why and what to do (exit status 2)."""

    is_usage = True


class LocalApi:
    """The API of a run: a temporary server, or the configured API."""

    def __init__(self, server: TemporaryServer | None) -> None:
        self._server = server

    @property
    def is_temporary(self) -> bool:
        """Whether the API exists for this run only, so that no other run shares it."""
        return self._server is not None

    def check_settings(self) -> None:
        """Import Prefect, which reads its settings.

        Raises:
            PrefectSettingsError: Prefect cannot read them.
        """
        try:
            # Prefect also prints long warnings there.
            with redirect_stderr(StringIO()), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                import prefect.context  # noqa: F401
        except Exception as error:
            reason = " ".join(line.strip() for line in str(error).splitlines()[1:3]) or str(error)
            raise PrefectSettingsError(
                f"Prefect's settings cannot be used: {reason.partition(' [type=')[0]}. Correct the PREFECT_ "
                f"variable, or the profile in {profiles_path(os.environ)}, that says so"
            ) from error

    @contextmanager
    def ready(self, say: Callable[[str], None]) -> Iterator[None]:
        """Wait until the API responds, and say so if that takes long.

        Raises:
            PrefectApiError: it does not respond.
        """
        if self._server is not None:
            self._server.await_answer(say)
        else:
            _check_configured()
        yield


def start_local_api() -> LocalApi:
    """Return the API for the rest of this process: the configured one, or else a temporary one.

    Must be called before `prefect` is imported.

    Raises:
        PrefectSettingsError: Prefect's profiles cannot be read.
        PrefectApiError: no process can be started.
    """
    for name, value in RUN_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if is_api_configured(os.environ, Path.cwd()):
        return LocalApi(None)
    server = TemporaryServer(prefect_home(os.environ), profiles_path(os.environ))
    # Registered before Prefect's exit handlers, and so called after them, because they send the last logs.
    atexit.register(server.stop)
    os.environ["PREFECT_API_URL"] = server.api_url
    return LocalApi(server)


def _check_configured() -> None:
    """Check that the configured API responds, over the connection that Prefect itself would use."""
    import asyncio

    from prefect.client.orchestration import get_client
    from prefect.settings import get_current_settings

    url = get_current_settings().api.url
    if not url:
        raise PrefectApiError(
            "No Prefect API is configured, and temporary ones are switched off. Start one with `prefect "
            "server start` and set PREFECT_API_URL, or unset PREFECT_SERVER_ALLOW_EPHEMERAL_MODE"
        )

    async def ask() -> Exception | None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS), get_client() as client:
                return await client.api_healthcheck()
        except Exception as error:
            return error

    failure = asyncio.run(ask())
    # Any response will do; Prefect itself reports an error in it.
    if failure is not None and getattr(failure, "response", None) is None:
        reason = f"{type(failure).__name__}: {failure}".removesuffix(": ")
        raise PrefectApiError(
            f"Prefect's API at {url} does not answer ({reason}). Start that server, set PREFECT_API_URL to "
            "another one, or unset it to run with a temporary one"
        ) from failure


def prefect_home(environment: Mapping[str, str]) -> Path:
    """Return Prefect's folder for its database, its profiles and its results."""
    return Path(environment.get("PREFECT_HOME") or Path.home() / ".prefect").expanduser().absolute()


def profiles_path(environment: Mapping[str, str]) -> Path:
    """Return the path of Prefect's profiles; the file may not exist."""
    named = environment.get("PREFECT_PROFILES_PATH")
    return Path(named or prefect_home(environment) / "profiles.toml").expanduser()


def is_api_configured(environment: Mapping[str, str], folder: Path) -> bool:
    """Whether Prefect would find a configured API, determined without importing Prefect.

    Raises:
        PrefectSettingsError: the profiles cannot be read.
    """
    if _configures(environment):
        return True
    profiles = _read_profiles(profiles_path(environment))
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


def _read_profiles(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise PrefectSettingsError(
            f"Prefect's profiles in {path} cannot be read: {error}. Correct the file, or delete it "
            "to run with a temporary server"
        ) from error


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except (OSError, ValueError):
        return {}
