"""One paced, retried connection to TMDB's API."""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias, TypeVar

import httpx

from proxies import keep_loopback_direct
from tmdb.answers import check_status
from tmdb.clock import Clock, Stamp
from tmdb.drift import Drift
from tmdb.errors import (
    BudgetSpent,
    CertificateError,
    ConnectionFailedError,
    LongPauseError,
    RateLimitedError,
    RecordError,
    StoppedError,
    TmdbError,
    TransientError,
    UnreachableError,
)
from tmdb.pace import Pace
from tmdb.redaction import redact, redact_record
from tmdb.retry import RetryPolicy
from tmdb.stop import Stop

logger = logging.getLogger(__name__)

T = TypeVar("T")
# Converts an answer; the moment is from when its content is, by this machine's clock (see `Clock.correct`).
Reader: TypeAlias = Callable[[httpx.Response, datetime], T]

TIMEOUT = httpx.Timeout(20.0, connect=10.0)
# However slowly the bytes of one answer drip in.
MAX_ANSWER_SECONDS = 60.0
# So many subjects given up in a row, with no answer of any kind in between, and the server counts as gone.
SILENT_SUBJECTS = 3
# A pool looks at each of its connections for each of them at every request, so that one of 50 is slow.
CONNECTIONS_A_POOL = 10
NO_CONNECTION = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)
# How often a server that has answered before, and to which no connection can be made now, is tried again.
OUTAGE_SECONDS = (1.0, 3.0)


@dataclass
class FetchStats:
    """What a client did so far; `errors` counts by kind all that was met, also where a retry helped."""

    requests: int = 0
    retries: int = 0
    errors: Counter[str] = field(default_factory=Counter)


class TmdbClient:
    """Asks over so many connections, keeping the pace and trying again where that may help.

    Use it within the event loop that made it. `stop` ends all waiting; it is set when `max_requests` are
    spent.
    """

    def __init__(
        self,
        connections: Sequence[httpx.AsyncClient],
        pace: Pace,
        policy: RetryPolicy | None = None,
        stop: Stop | None = None,
        max_requests: int | None = None,
    ) -> None:
        # One entry for each connection, that used last on top; the pace lets no more requests go at once.
        self._free = list(connections)
        self._base_url = connections[0].base_url
        self._pace = pace
        self.policy = policy or RetryPolicy()
        self._max_requests = max_requests
        self.stop = stop or Stop()
        self.stats = FetchStats()
        self.clock = Clock()
        self.drift = Drift()
        self._was_answered = False
        self._given_up_in_silence = 0

    async def get(self, path: str, params: Mapping[str, str], read: Reader[T], subject: str) -> T:
        """Return what `read` makes of the answer; it raises InvalidPayloadError where that is worth a retry.

        Raises:
            StoppedError: the run stops first.
            RecordError: the answer is one that a retry would not change.
            TransientError: tries ran out.
            FatalError: nothing can be had before somebody mends something.
        """
        waits = self.policy.waits()
        attempts = 0
        began = 0.0
        while True:
            async with self._pace.turn(self.stop):
                self._check_stop()
                attempts += 1
                # Queueing for the first turn is no part of a subject's own time.
                began = began or _now()
                try:
                    return await self._request(path, params, read)
                except RecordError as error:
                    error.attempts = attempts
                    raise
                except TransientError as error:
                    failure = error
            failure.attempts = attempts
            self.stats.errors[failure.kind] += 1
            wait = self._next_wait(failure, waits)
            if wait is None or _now() + wait > began + self.policy.max_total_seconds:
                self._check_reachable(failure)
                raise failure
            self.stats.retries += 1
            logger.info("%s: %s; next try in %.1f s", subject, failure, wait)
            if await self.stop.wait(wait):
                raise StoppedError(subject)

    def _check_stop(self) -> None:
        """Let nothing pass once the run stops; it does when its requests are spent."""
        if self._max_requests is not None and self.stats.requests >= self._max_requests:
            self.stop.set(BudgetSpent(f"the {self._max_requests:,} requests of this run are spent"))
        if self.stop.is_set:
            raise StoppedError("stopped")

    async def _request(self, path: str, params: Mapping[str, str], read: Reader[T]) -> T:
        self.stats.requests += 1
        asked_at = datetime.now(UTC)
        http = self._free.pop()
        try:
            async with asyncio.timeout(MAX_ANSWER_SECONDS):
                response = await http.get(path, params=params)
        except (httpx.TransportError, httpx.DecodingError, TimeoutError) as error:
            if _is_about_certificate(error):
                raise CertificateError(
                    f"The certificate of {self._base_url.host} cannot be trusted ({_describe(error)}): "
                    "check TMDB_BASE_URL, this machine's clock and its certificate authorities"
                ) from error
            never_connected = isinstance(error, NO_CONNECTION)
            raise ConnectionFailedError(_describe(error), never_connected=never_connected) from error
        finally:
            self._free.append(http)
        # An answer and its stream hold each other, and so the payload until the garbage collector comes by.
        response.stream = httpx.ByteStream(b"")
        self._was_answered = True
        self._given_up_in_silence = 0
        stamp = Stamp.of(response.headers)
        self.clock.hear(stamp)
        content_at = asked_at - stamp.content_age
        try:
            check_status(response)
            return read(response, content_at)
        except TmdbError as error:
            error.content_at = content_at
            raise

    def _next_wait(self, failure: TransientError, waits: Iterator[float]) -> float | None:
        if isinstance(failure, ConnectionFailedError) and failure.never_connected and self._was_answered:
            # An outage is no subject's own and may outlast its tries: all wait, until its time is over.
            seconds = random.uniform(*OUTAGE_SECONDS)
            self._pace.pause(seconds)
            return seconds
        wait = next(waits, None)
        if isinstance(failure, RateLimitedError):
            self._pace.slow_down()
            if failure.retry_after_seconds is not None:
                self._obey(failure.retry_after_seconds)
                return None if wait is None else failure.retry_after_seconds
        return wait

    def _obey(self, retry_after_seconds: float) -> None:
        if retry_after_seconds > self.policy.max_total_seconds:
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
        if is_gone or self._given_up_in_silence >= SILENT_SUBJECTS:
            host = self._base_url.copy_with(raw_path=b"/")
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
    max_requests: int | None = None,
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
    keep_loopback_direct()
    context = httpx.create_ssl_context()
    async with AsyncExitStack() as stack:
        connections: list[httpx.AsyncClient] = []
        while len(connections) < concurrency:
            size = min(CONNECTIONS_A_POOL, concurrency - len(connections))
            http = httpx.AsyncClient(
                base_url=base_url.rstrip("/") + "/",
                headers=headers,
                params={"api_key": api_key} if api_key and not access_token else None,
                timeout=TIMEOUT,
                limits=httpx.Limits(max_connections=size, max_keepalive_connections=size),
                follow_redirects=False,
                verify=context,
                transport=transport,
            )
            connections += [await stack.enter_async_context(http)] * size
        yield TmdbClient(connections, pace, policy, stop, max_requests)


def tally(errors: Mapping[str, int]) -> str:
    """`429 (8), ReadTimeout (4)`, the most frequent first."""
    return ", ".join(f"{kind} ({count:,})" for kind, count in Counter(errors).most_common())


def _is_about_certificate(error: BaseException | None) -> bool:
    """Whether a certificate is at the bottom of it; httpx and httpcore wrap the error."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _describe(error: Exception) -> str:
    """Name the kind of error too: many of httpx's have no text."""
    return redact(f"{type(error).__name__}: {error}".removesuffix(": "))


def _now() -> float:
    return asyncio.get_running_loop().time()
