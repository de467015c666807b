"""Run the sandbox in a child process."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from movies.loopback import LoopbackServer

if TYPE_CHECKING:  # importing pydantic would slow the start of the parent
    from movies.sandbox.faults import Faults

ENVIRONMENT_PREFIX = "TMDB_SANDBOX_"
FACTORY = "movies.sandbox.server:create_app_from_environment"
CONTROL_SECONDS = 30.0


class SandboxError(Exception):
    """The sandbox is not running, or rejects a control request."""

    is_temporary = True


class Sandbox:
    """A sandbox that runs for the length of a `with` block, and never longer than its parent.

    with Sandbox(faults={"server_error": 0.1}) as sandbox:
        httpx.get(f"{sandbox.base_url}/movie/597", headers={"Authorization": f"Bearer {sandbox.key}"})
    """

    def __init__(
        self,
        *,
        faults: Faults | Mapping[str, Any] | None = None,
        payloads: Path | None = None,
        synthetic: int = 0,
        payload_bytes: int | None = None,
        today: date | None = None,
        key: str | None = None,
        port: int = 0,
        log: Path | None = None,
    ) -> None:
        self.key = key or secrets.token_hex(16)
        options = {
            "KEY": self.key,
            "FAULTS": _render(faults or {}),
            "PAYLOADS": str(payloads.absolute()) if payloads else "",
            "SYNTHETIC": str(synthetic),
            "PAYLOAD_BYTES": str(payload_bytes or ""),
            "TODAY": today.isoformat() if today else "",
        }
        self._environment = {f"{ENVIRONMENT_PREFIX}{name}": value for name, value in options.items()}
        self._port = port
        self._log = log
        self._server: LoopbackServer | None = None

    def start(self) -> Self:
        """Start the process and return at once; requests wait until it has loaded."""
        if self._server is None:
            self._server = LoopbackServer.start(
                FACTORY, env=self._environment, log=self._log, port=self._port
            )
        return self

    def stop(self) -> None:
        """Stop the process; harmless if it has ended already."""
        if self._server is not None:
            self._server.stop()

    @property
    def base_url(self) -> str:
        """URL in place of TMDB's v3 API."""
        return f"{self._running.url}/3"

    @property
    def exports_url(self) -> str:
        """URL of the daily exports."""
        return f"{self._running.url}/p/exports"

    @property
    def ratings_url(self) -> str:
        """URL in place of IMDb's file of ratings."""
        return f"{self._running.url}/imdb/title.ratings.tsv.gz"

    @property
    def pid(self) -> int:
        """The id of the server's process."""
        return self._running.pid

    @property
    def alive(self) -> bool:
        """Whether the server's process runs."""
        return self._server is not None and self._server.alive

    def stats(self, arrivals: bool = False) -> dict[str, Any]:
        """Return the server's counts of requests; with `arrivals`, also the time of each request."""
        stats: dict[str, Any] = json.loads(self._control("GET", f"stats?arrivals={arrivals}"))
        return stats

    def reset(self) -> None:
        """Reset all counts and attempts."""
        self._control("POST", "reset")

    def set_faults(self, faults: Faults | Mapping[str, Any] | None = None, **values: Any) -> None:
        """Replace the faults, and reset."""
        self._control("PUT", "faults", _render(values if faults is None else faults))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def _running(self) -> LoopbackServer:
        if self._server is None:
            raise SandboxError("The sandbox has not been started.")
        return self._server

    def _control(self, method: str, path: str, body: str | None = None) -> bytes:
        request = Request(
            f"{self._running.url}/sandbox/{path}", data=body.encode() if body else None, method=method
        )
        try:
            with urlopen(request, timeout=CONTROL_SECONDS) as response:
                content: bytes = response.read()
                return content
        except HTTPError as error:
            detail = error.read().decode()
            raise SandboxError(f"The sandbox rejected {method} {path}: {detail}") from error
        except URLError as error:
            raise SandboxError(f"The sandbox does not answer: {error.reason}") from error


def _render(faults: Faults | Mapping[str, Any]) -> str:
    return json.dumps(dict(faults)) if isinstance(faults, Mapping) else faults.model_dump_json()
