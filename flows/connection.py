"""The server that a run fetches from: TMDB, a compatible server, or the sandbox."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from movies.settings import TMDB_API_URL, Settings
from movies.tmdb.client import TmdbClient, open_client
from movies.tmdb.pace import Pace
from movies.tmdb.retry import RetryPolicy
from movies.tmdb.stop import Stop
from tasks.shared_pace import OwnPace, shared_pace

if TYPE_CHECKING:
    from movies.sandbox import Sandbox


# TMDB's CDN rejects more from one address.
MOST_CONNECTIONS_TO_TMDB = 20


class Connection:
    """Connects at the first use, and disconnects with the exit stack; so does the sandbox.

    With `shares_ceiling`, all runs on the same Prefect API share one rate limit.
    """

    def __init__(
        self,
        settings: Settings,
        stop: Stop,
        stack: AsyncExitStack,
        *,
        max_requests: int | None = None,
        shares_ceiling: bool = False,
        sandbox: Sandbox | None = None,
    ) -> None:
        self.stop = stop
        self.share = OwnPace()
        self._shares_ceiling = shares_ceiling
        self._settings = settings
        self._max_requests = max_requests
        self._stack = stack
        self._client: TmdbClient | None = None
        self._pace: Pace | None = None
        self._sandbox = sandbox

    @property
    def was_used(self) -> bool:
        """Whether the connection has been used."""
        return self._client is not None

    async def client(self) -> TmdbClient:
        """Return the client of the run."""
        if self._client is None:
            settings = self._settings
            base_url, api_key, access_token = self._server()
            pace = Pace(settings.ingestion_requests_per_second, settings.ingestion_concurrency)
            self._client = await self._stack.enter_async_context(
                open_client(
                    base_url,
                    api_key=api_key,
                    access_token=access_token,
                    pace=pace,
                    concurrency=settings.ingestion_concurrency,
                    policy=RetryPolicy(max_retries=settings.ingestion_max_retries),
                    stop=self.stop,
                    max_requests=self._max_requests,
                    outage_seconds=settings.ingestion_outage_minutes * 60,
                )
            )
            if self._shares_ceiling and not settings.uses_sandbox:
                self.share = await self._stack.enter_async_context(shared_pace(pace, base_url, self.stop))
            self._pace = pace
            await self.share.take_share()
        return self._client

    @property
    def concurrency_to_set(self) -> int | None:
        """Return the `INGESTION_CONCURRENCY` that would reach the rate, if the current one limits the run."""
        wanted = None if self._pace is None else self._pace.concurrency_to_set
        if wanted is None or self._settings.uses_sandbox or self._settings.tmdb_base_url:
            return wanted
        wanted = min(wanted, MOST_CONNECTIONS_TO_TMDB)
        return wanted if wanted > self._settings.ingestion_concurrency else None

    async def exports_url(self) -> str:
        """Return the URL of the daily files of ids."""
        settings = self._settings
        return self._sandbox_of_run().exports_url if settings.uses_sandbox else settings.tmdb_exports_url

    def _server(self) -> tuple[str, str | None, str | None]:
        """Return base URL, v3 key and v4 token; without a key, those of a sandbox."""
        if self._settings.uses_sandbox:
            sandbox = self._sandbox_of_run()
            return sandbox.base_url, sandbox.key, None
        key, token = self._settings.tmdb_api_key, self._settings.tmdb_access_token
        return (
            self._settings.tmdb_base_url or TMDB_API_URL,
            key.get_secret_value() if key else None,
            token.get_secret_value() if token else None,
        )

    def _sandbox_of_run(self) -> Sandbox:
        """Return the sandbox of the run, or start one."""
        if self._sandbox is None:
            from movies.sandbox import Sandbox

            self._sandbox = self._stack.enter_context(Sandbox())
        return self._sandbox
