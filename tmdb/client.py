"""The TMDB API as the pipeline uses it: one whole movie a call."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx

from tmdb.answers import check_status, read_payload
from tmdb.errors import (
    ConnectionFailedError,
    LongPauseError,
    RateLimitedError,
    RecordError,
    TmdbError,
    TransientError,
    UnreachableError,
)
from tmdb.pace import Pace
from tmdb.redaction import redact, redact_record
from tmdb.retry import RetryPolicy
from tmdb.stop import Stop

logger = logging.getLogger(__name__)

TIMEOUT = httpx.Timeout(20.0, connect=10.0)
LOOPBACK_HOSTS = {"127.0.0.1", "localhost", "::1"}
# However slowly the bytes of one answer drip in.
MAX_ANSWER_SECONDS = 60.0
# So many movies given up in a row, with no answer of any kind in between, and the server counts as gone.
SILENT_MOVIES = 3
NO_CONNECTION = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)


@dataclass(frozen=True)
class Movie:
    """A movie's payload, verbatim."""

    movie_id: int
    payload: str
    fetched_at: datetime


@dataclass(frozen=True)
class Failure:
    """A movie that could not be had, and why."""

    movie_id: int
    reason: str
    detail: str
    http_status: int | None
    attempts: int
    failed_at: datetime


@dataclass
class FetchStats:
    """What a client did so far."""

    requests: int = 0
    retries: int = 0


class TmdbClient:
    """Fetches movies over one `httpx.AsyncClient`, keeping the pace and trying again where that may help.

    Use it within the event loop that made it; `stop` ends all waiting.
    """

    def __init__(
        self, http: httpx.AsyncClient, pace: Pace, policy: RetryPolicy | None = None, stop: Stop | None = None
    ) -> None:
        self._http = http
        self._pace = pace
        self._policy = policy or RetryPolicy()
        self.stop = stop or Stop()
        self.stats = FetchStats()
        self._was_answered = False
        self._given_up_in_silence = 0

    async def fetch_movie(self, movie_id: int) -> Movie | Failure | None:
        """Return the movie with its credits, or why it cannot be had; None where the run stops first.

        Raises:
            FatalError: no movie can be fetched before somebody mends something.
        """
        waits = self._policy.waits()
        attempts = 0
        began = 0.0
        while True:
            async with self._pace.turn(self.stop):
                if self.stop.is_set:
                    return None
                attempts += 1
                # Queueing for the first turn is no part of a movie's own time.
                began = began or _now()
                try:
                    return await self._request_movie(movie_id)
                except RecordError as error:
                    return _failure(movie_id, error, attempts)
                except TransientError as error:
                    failure = error
            wait = next(waits, None)
            if isinstance(failure, RateLimitedError):
                self._pace.slow_down()
                if failure.retry_after_seconds is not None:
                    self._obey(failure.retry_after_seconds)
                    wait = None if wait is None else failure.retry_after_seconds
            if wait is None or _now() + wait > began + self._policy.max_total_seconds:
                self._check_reachable(failure)
                return _failure(movie_id, failure, attempts)
            self.stats.retries += 1
            logger.info("movie %s: %s; next try in %.1f s", movie_id, failure, wait)
            if await self.stop.wait(wait):
                return None

    async def _request_movie(self, movie_id: int) -> Movie:
        self.stats.requests += 1
        try:
            async with asyncio.timeout(MAX_ANSWER_SECONDS):
                response = await self._http.get(f"movie/{movie_id}", params={"append_to_response": "credits"})
        except (httpx.TransportError, httpx.DecodingError, TimeoutError) as error:
            never_connected = isinstance(error, NO_CONNECTION)
            raise ConnectionFailedError(_describe(error), never_connected=never_connected) from error
        self._was_answered = True
        self._given_up_in_silence = 0
        check_status(response)
        return Movie(movie_id, read_payload(movie_id, response.content), datetime.now(UTC))

    def _obey(self, retry_after_seconds: float) -> None:
        if retry_after_seconds > self._policy.max_total_seconds:
            raise LongPauseError(
                f"TMDB asks to wait {retry_after_seconds:,.0f} seconds before the next request, "
                "which is longer than a run waits; run again then, and it goes on where this one stopped",
                429,
            )
        self._pace.pause(retry_after_seconds)

    def _check_reachable(self, failure: TransientError) -> None:
        # One movie's failure is recorded and the run goes on; a server that is gone would fail them all.
        if not isinstance(failure, ConnectionFailedError):
            return
        self._given_up_in_silence += 1
        is_gone = failure.never_connected and not self._was_answered
        if is_gone or self._given_up_in_silence >= SILENT_MOVIES:
            host = self._http.base_url.copy_with(raw_path=b"/")
            raise UnreachableError(
                f"No answer from {host} ({failure}): check the network, and TMDB_BASE_URL; "
                "run again then, and it goes on where this one stopped"
            )


@asynccontextmanager
async def open_client(
    base_url: str,
    *,
    api_key: str | None = None,
    access_token: str | None = None,
    pace: Pace,
    concurrency: int,
    policy: RetryPolicy | None = None,
    stop: Stop | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> AsyncIterator[TmdbClient]:
    """Open a client for one run.

    A v4 token goes into a header; so does one that was set as `TMDB_API_KEY`. Only a v3 key has to travel in
    the query, from where it is kept out of every log and error text. Redirects are not followed: the key
    must not go to another host.
    """
    if api_key and api_key.startswith("eyJ"):  # how every v4 token (a JSON web token) begins
        api_key, access_token = None, access_token or api_key
    # httpx logs whole URLs, and a v3 key is part of them.
    logging.getLogger("httpx").addFilter(redact_record)
    headers = {"Accept": "application/json"}
    if access_token:
        headers["Authorization"] = f"Bearer {access_token}"
    async with httpx.AsyncClient(
        base_url=base_url.rstrip("/") + "/",
        headers=headers,
        params={"api_key": api_key} if api_key and not access_token else None,
        timeout=TIMEOUT,
        limits=httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency),
        follow_redirects=False,
        # A proxy from the environment is right for TMDB, and never for a server on this machine.
        trust_env=urlsplit(base_url).hostname not in LOOPBACK_HOSTS,
        transport=transport,
    ) as http:
        yield TmdbClient(http, pace, policy, stop)


async def fetch_movies(
    client: TmdbClient,
    movie_ids: Iterable[int],
    on_outcome: Callable[[Movie | Failure], None] = lambda outcome: None,
) -> list[Movie | Failure]:
    """Fetch many movies at once; what a stop leaves undone is not in the list.

    An error that is no movie's own stops the client for everyone and is kept in `client.stop`, so that what
    came before it can be checkpointed.
    """

    async def fetch_one(movie_id: int) -> Movie | Failure | None:
        try:
            outcome = await client.fetch_movie(movie_id)
            if outcome is not None:
                on_outcome(outcome)
        except Exception as error:
            # Whatever it is, the movies at hand are to be checkpointed before anybody hears of it.
            client.stop.set(error)
            return None
        return outcome

    tasks = [asyncio.create_task(fetch_one(movie_id)) for movie_id in movie_ids]
    try:
        outcomes = await client.stop.finish(tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        raise
    return [outcome for outcome in outcomes if outcome is not None]


def _failure(movie_id: int, error: TmdbError, attempts: int) -> Failure:
    return Failure(movie_id, error.reason, redact(str(error)), error.http_status, attempts, datetime.now(UTC))


def _describe(error: Exception) -> str:
    """Name the kind of error too: many of httpx's have no text."""
    return redact(f"{type(error).__name__}: {error}".removesuffix(": "))


def _now() -> float:
    return asyncio.get_running_loop().time()
