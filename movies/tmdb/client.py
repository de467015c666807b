"""One paced, retried connection to TMDB's API."""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias, TypeVar

import httpx

from movies.project import user_agent
from movies.proxies import keep_loopback_direct
from movies.tmdb.answers import check_status
from movies.tmdb.bodies import read_body
from movies.tmdb.clock import Clock, Stamp
from movies.tmdb.drift import Drift
from movies.tmdb.outage import Asking, Outage, describe_silence
from movies.tmdb.pace import Pace
from movies.tmdb.redaction import quote, redact_record
from movies.tmdb.retry import RetryPolicy, parse_retry_after
from movies.tmdb.stop import Stop
from movies.tmdb.tmdb_errors import (
    BudgetSpent,
    CertificateError,
    ConnectionFailedError,
    FatalError,
    LongPauseError,
    RateLimitedError,
    RecordError,
    StoppedError,
    TmdbError,
    TransientError,
    UnreachableError,
)

logger = logging.getLogger(__name__)

T = TypeVar("T")
# Converts an answer; the moment is the time of its content by this machine's clock (see `Clock.correct`).
Reader: TypeAlias = Callable[[httpx.Response, datetime], T]

TIMEOUT = httpx.Timeout(20.0, connect=10.0)
# Limit for a whole answer, because each read may be just within the timeout.
MAX_ANSWER_SECONDS = 60.0
# At every request a pool compares each connection with each other, so a pool of 50 is slow.
CONNECTIONS_A_POOL = 10
NO_CONNECTION = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)
# How long an outage is probed before a run stops.
OUTAGE_SECONDS = 600.0
# How every v4 token (a JSON web token) begins, and what a v3 key looks like.
V4_BEGINS, V3_KEY = "eyJ", re.compile("[0-9a-fA-F]{32}")


@dataclass
class FetchStats:
    """Numbers of a client so far; `errors` counts all errors by kind, even if a retry succeeded."""

    requests: int = 0
    retries: int = 0
    errors: Counter[str] = field(default_factory=Counter)


class TmdbClient:
    """Sends requests over several connections, keeps the pace, and retries what may succeed later.

    Use it in the event loop that created it. `stop` ends all waiting; it is set after `max_requests`.
    """

    def __init__(
        self,
        connections: Sequence[httpx.AsyncClient],
        pace: Pace,
        policy: RetryPolicy | None = None,
        stop: Stop | None = None,
        max_requests: int | None = None,
        outage_seconds: float = OUTAGE_SECONDS,
        secrets: tuple[str, ...] = (),
    ) -> None:
        # One entry for each connection, the last used on top. The pace limits the requests in flight to them.
        self._free = list(connections)
        self._base_url = connections[0].base_url
        self._pace = pace
        self.policy = policy or RetryPolicy()
        self._max_requests = max_requests
        self.stop = stop or Stop()
        self.stats = FetchStats()
        self.clock = Clock()
        self.drift = Drift()
        self._secrets = secrets
        self._host = str(self._base_url.copy_with(raw_path=b"/"))
        self._outage = Outage(self._host, self.stop, outage_seconds)

    async def get(self, path: str, params: Mapping[str, str], read: Reader[T], subject: str) -> T:
        """Return the answer as converted by `read`, which raises InvalidPayloadError to ask for a retry.

        Raises:
            StoppedError: the run stops first.
            RecordError: a retry would not change the answer.
            TransientError: all tries failed.
            FatalError: nothing can be fetched until the user acts.
        """
        waits = self.policy.waits()
        attempts = 0
        # Time of this request alone, without queues, pauses and outages.
        seconds = 0.0
        with self._outage.asking() as asking:
            while True:
                await self._outage.admit(asking)
                async with self._pace.turn(self.stop, lambda: self._outage.holds(asking)):
                    self._check_stop()
                    if self._outage.holds(asking):
                        continue
                    attempts += 1
                    began = _now()
                    try:
                        answer = await self._request(path, params, read)
                    except RecordError as error:
                        self._outage.answered()
                        error.attempts = attempts
                        raise
                    except TransientError as error:
                        failure = error
                    else:
                        self._outage.answered()
                        return answer
                    seconds += _now() - began
                failure.attempts = attempts
                self.stats.errors[failure.kind] += 1
                wait = self._next_wait(asking, failure, waits)
                if wait is None or seconds + wait > self.policy.max_total_seconds:
                    self._check_reachable(failure)
                    if failure.is_answer or await self._outage.is_own(asking, failure):
                        raise failure
                    wait = 0.0
                self.stats.retries += 1
                next_try = max(wait, self._pace.pause_left_seconds, self._outage.next_probe_seconds)
                logger.info("%s: %s; next try in %.1f s", subject, failure, next_try)
                seconds += wait
                if await self.stop.wait(wait):
                    raise StoppedError(subject)

    def _check_stop(self) -> None:
        """Raise if the run stops, and stop it if its requests are spent."""
        if self._max_requests is not None and self.stats.requests >= self._max_requests:
            self.stop.set(BudgetSpent(f"the {self._max_requests:,} requests of this run are spent"))
        if self.stop.is_set:
            raise StoppedError("stopped")

    async def _request(self, path: str, params: Mapping[str, str], read: Reader[T]) -> T:
        self.stats.requests += 1
        requested_at = datetime.now(UTC)
        http = self._free.pop()
        try:
            async with (
                asyncio.timeout(MAX_ANSWER_SECONDS),
                http.stream("GET", path, params=params) as answer,
            ):
                response, unreadable = await read_body(answer)
        except (httpx.TransportError, TimeoutError) as error:
            if _is_about_certificate(error):
                raise CertificateError(
                    f"The certificate of {self._base_url.host} cannot be trusted ({_describe(error)}). "
                    "Check TMDB_BASE_URL, this machine's clock and its certificate authorities."
                ) from error
            never_connected = isinstance(error, NO_CONNECTION)
            raise ConnectionFailedError(_describe(error), never_connected=never_connected) from error
        finally:
            self._free.append(http)
        # Break the reference cycle of answer and stream, which would keep the body in memory.
        answer.stream = httpx.ByteStream(b"")
        stamp = Stamp.of(response.headers)
        self.clock.hear(stamp)
        content_at = requested_at - stamp.content_age
        try:
            check_status(response, self._secrets)
            if unreadable is not None:
                raise unreadable
            return read(response, content_at)
        except TmdbError as error:
            error.content_at = content_at
            if response.status_code != 200 and not isinstance(error, FatalError):
                self._obey(parse_retry_after(response.headers.get("Retry-After"), self.clock.now()), response)
            raise

    def _next_wait(self, asking: Asking, failure: TransientError, waits: Iterator[float]) -> float | None:
        if isinstance(failure, RateLimitedError):
            self._pace.slow_down()
        if failure.is_answer:
            self._outage.answered()
        elif self._outage.note(asking, failure):
            # An outage is not this subject's failure and may outlast its tries.
            return 0.0
        return next(waits, None)

    def _obey(self, seconds: float | None, response: httpx.Response) -> None:
        """Pause all requests, as the server asks."""
        if seconds is None:
            return
        if seconds > self._outage.longest_seconds:
            raise LongPauseError(
                f"TMDB asks to wait {seconds:,.0f} seconds before the next request, which is longer than a "
                "run waits. Run again then: the next run goes on where this one stopped.",
                response.status_code,
            )
        self._pace.pause(seconds)

    def _check_reachable(self, failure: TransientError) -> None:
        # A movie's failure is recorded and the run goes on. Without a connection, every movie would fail.
        if isinstance(failure, ConnectionFailedError) and failure.never_connected:
            raise UnreachableError(describe_silence(self._host, failure))


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
    outage_seconds: float = OUTAGE_SECONDS,
    transport: httpx.AsyncBaseTransport | None = None,
) -> AsyncIterator[TmdbClient]:
    """Open a client for one run.

    A v4 token goes into a header and a v3 key into the query, even if each was set as the other. Logs and
    errors never show the query. Redirects are not followed, because the key must not go to another host.
    """
    api_key, access_token = _sort_keys(api_key, access_token)
    # httpx logs whole URLs, and a v3 key is part of them.
    logging.getLogger("httpx").addFilter(redact_record)
    # `tmdb.bodies` can unpack only gzip.
    headers = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": user_agent()}
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
                event_hooks={"response": [_drop_location]},
                verify=context,
                transport=transport,
            )
            connections += [await stack.enter_async_context(http)] * size
        secrets = tuple(key for key in (api_key, access_token) if key)
        yield TmdbClient(connections, pace, policy, stop, max_requests, outage_seconds, secrets)


def _sort_keys(api_key: str | None, access_token: str | None) -> tuple[str | None, str | None]:
    """Return a v3 key or a v4 token, recognised by their form; a token wins over a key."""
    given = [key for key in (api_key, access_token) if key]
    tokens = [
        key
        for key in given
        if key.startswith(V4_BEGINS) or (key == access_token and not V3_KEY.fullmatch(key))
    ]
    if tokens:
        return None, tokens[-1]
    return (given[0] if given else None), None


async def _drop_location(response: httpx.Response) -> None:
    """Keep httpx from building a redirect's next request, because an invalid `Location` breaks it."""
    response.headers.pop("Location", None)


def tally(errors: Mapping[str, int]) -> str:
    """Return `429 (8), ReadTimeout (4)`, the most frequent first."""
    return ", ".join(f"{kind} ({count:,})" for kind, count in Counter(errors).most_common())


def _is_about_certificate(error: BaseException | None) -> bool:
    """Return whether a certificate is the cause; httpx and httpcore wrap the error."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _describe(error: Exception) -> str:
    """Return the error's class and text, because many errors of httpx have no text."""
    return quote(f"{type(error).__name__}: {error}".removesuffix(": "))


def _now() -> float:
    return asyncio.get_running_loop().time()
