"""The entry of the sandbox: counts requests, limits their rate, plays faults, and answers movies itself.

Movies are answered here, in plain ASGI, because load tests request thousands a second. Lists are passed on to
the app's routes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from email.utils import formatdate
from math import ceil
from time import time
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Receive, Scope, Send

from movies.sandbox.answer_bodies import (
    HTML,
    INTERNAL_ERROR,
    INVALID_ID,
    INVALID_KEY,
    NOT_FOUND,
    OFFLINE,
    OVER_LIMIT,
    TOO_MANY_APPENDICES,
    Header,
    await_departure,
    drop_connection,
    redirect,
    refuse,
    respond,
    respond_dripping,
    respond_torn,
)
from movies.sandbox.bundled_movies import Movies, with_id, without_credits
from movies.sandbox.faults import Fault, FaultPlan, Faults
from movies.sandbox.stats import WINDOW_SECONDS, Stats

API_ROOT = "/3/"
MOVIE_ROOT = "/3/movie/"
EXPORTS_ROOT = "/p/exports/"
IMDB_ROOT = "/imdb/"
# Files that need no key and have no rate limit.
PUBLIC = ("export", "ratings")
KINDS = {
    "/3/discover/movie": "discover",
    "/3/movie/changes": "changes",
    "/3/configuration": "configuration",
}
MAX_APPENDICES = 20
HTML_PAGE = b"<!DOCTYPE html><html><head><title>Please wait</title></head><body>Please wait.</body></html>"
# Body of a list's answer if it is torn or drips.
LIST_BODY = b'{"page":1,"results":[{"id":1,"adult":false}],"total_pages":1,"total_results":1}'


class Gate:
    """The ASGI application in front of the lists' routes."""

    def __init__(self, app: ASGIApp, movies: Movies, key: str, faults: Faults) -> None:
        self._app = app
        self._movies = movies
        self._key = key
        self._bearer = f"Bearer {key}".encode()
        self._answered: deque[float] = deque()
        self.plan = FaultPlan(faults)
        self.stats = Stats()

    def reset(self, faults: Faults | None = None) -> None:
        """Reset counts, attempts and the rate limit, and replace the faults if new ones are given."""
        self._answered.clear()
        self.plan = FaultPlan(self.plan.faults if faults is None else faults)
        self.stats = Stats()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        if not path.startswith((API_ROOT, EXPORTS_ROOT, IMDB_ROOT)):  # also the server's own start and end
            await self._app(scope, receive, send)
            return
        stats = self.stats
        kind, movie_id = classify(path)
        arrival = stats.enter(kind, movie_id)
        try:
            await self._answer(kind, movie_id, arrival, scope, receive, send)
        finally:
            stats.leave()

    async def _answer(
        self, kind: str, movie_id: int | None, arrival: float, scope: Scope, receive: Receive, send: Send
    ) -> None:
        faults = self.plan.faults
        if kind not in PUBLIC and faults.limit_per_second is not None:
            wait = self._wait_for_limit(arrival, faults.limit_per_second)
            if wait > 0:
                self.stats.refused["over_limit"] += 1
                await refuse(send, OVER_LIMIT, _retry_after(ceil(wait), as_date=False))
                return
        fault = self.plan.next_fault(_subject(scope) if movie_id is None else movie_id)
        if faults.latency_ms:
            await asyncio.sleep(faults.latency_ms / 1000)
        if kind not in PUBLIC and not self._authorises(scope):
            self.stats.refused["unauthorized"] += 1
            await refuse(send, INVALID_KEY)
        elif fault is not None and await self._misbehave(fault, movie_id, scope, receive, send):
            pass
        elif kind == "movie" and scope["method"] == "GET":
            await self._answer_movie(movie_id, fault, scope, send)
        else:
            await self._app(scope, receive, send)

    async def _answer_movie(
        self, movie_id: int | None, fault: Fault | None, scope: Scope, send: Send
    ) -> None:
        appendices = read_appendices(scope["query_string"])
        payload = None if movie_id is None else self._movies.payload(movie_id)
        if movie_id is None:
            await refuse(send, INVALID_ID)
        elif len(appendices) > MAX_APPENDICES:
            await refuse(send, TOO_MANY_APPENDICES)
        elif payload is None:
            await refuse(send, NOT_FOUND)
        else:
            if "credits" not in appendices or fault is Fault.MISSING_CREDITS:
                payload = without_credits(payload)
            if fault is Fault.WRONG_ID:
                payload = with_id(payload, movie_id + 1)
            await respond(send, 200, payload)

    async def _misbehave(
        self, fault: Fault, movie_id: int | None, scope: Scope, receive: Receive, send: Send
    ) -> bool:
        """Answer with the fault, or return False if it only changes a movie's payload."""
        if movie_id is None and fault in (Fault.MISSING_CREDITS, Fault.WRONG_ID):
            return False
        self.stats.faults[fault] += 1
        match fault:
            case Fault.TOO_MANY_REQUESTS:
                await refuse(send, OVER_LIMIT, self._retry_after())
            case Fault.SERVER_ERROR:
                await refuse(send, INTERNAL_ERROR)
            case Fault.UNAVAILABLE:
                await refuse(send, OFFLINE, self._retry_after())
            case Fault.UNAUTHORIZED:
                await refuse(send, INVALID_KEY)
            case Fault.HANG:
                await await_departure(receive)
            case Fault.TORN_BODY:
                await respond_torn(receive, send, self._body(movie_id))
            case Fault.DROPPED:
                await drop_connection(receive, send)
            case Fault.DRIP:
                seconds_between = self.plan.faults.drip_ms / 1000
                await respond_dripping(receive, send, self._body(movie_id), seconds_between)
            case Fault.REDIRECT:
                query = scope["query_string"].decode("latin-1")
                await redirect(send, f"{self.plan.faults.redirect_to}{scope['path']}?{query}")
            case Fault.HTML:
                await respond(send, 200, HTML_PAGE, HTML)
            case Fault.NOT_AN_OBJECT:
                await respond(send, 200, b"[]")
            case _:
                return False
        return True

    def _body(self, movie_id: int | None) -> bytes:
        payload = self._movies.payload(movie_id) if movie_id is not None else None
        return payload or LIST_BODY

    def _retry_after(self) -> list[Header]:
        seconds = self.plan.faults.retry_after
        return [] if seconds is None else _retry_after(seconds, self.plan.faults.retry_after_as_date)

    def _wait_for_limit(self, now: float, limit: int) -> float:
        """Count a request within the limit and return 0, or return the seconds to wait."""
        answered = self._answered
        while answered and now - answered[0] >= WINDOW_SECONDS:
            answered.popleft()
        if len(answered) >= limit:
            return WINDOW_SECONDS - (now - answered[0])
        answered.append(now)
        return 0

    def _authorises(self, scope: Scope) -> bool:
        if (b"authorization", self._bearer) in scope["headers"]:
            return True
        return ("api_key", self._key) in parse_qsl(scope["query_string"].decode("latin-1"))


def classify(path: str) -> tuple[str, int | None]:
    """Return the kind of request of a path, and the movie's id if it names one.

    As at TMDB, words may follow the id, as in `603-the-matrix`.
    """
    if path.startswith(EXPORTS_ROOT):
        return "export", None
    if path.startswith(IMDB_ROOT):
        return "ratings", None
    if path in KINDS:
        return KINDS[path], None
    name = path.removeprefix(MOVIE_ROOT)
    if not path.startswith(MOVIE_ROOT) or "/" in name:
        return "other", None
    number = name.partition("-")[0]
    return "movie", int(number) if number.isascii() and number.isdigit() else None


def read_appendices(query: bytes) -> list[str]:
    """Return the values of `append_to_response`."""
    if query == b"append_to_response=credits":
        return ["credits"]
    values = dict(parse_qsl(query.decode("latin-1")))
    return [name for name in values.get("append_to_response", "").split(",") if name]


def _subject(scope: Scope) -> str:
    # Without the key, which differs from start to start, because a list's faults must stay the same.
    query = [pair for pair in parse_qsl(scope["query_string"].decode("latin-1")) if pair[0] != "api_key"]
    return f"{scope['path']} {sorted(query)}"


def _retry_after(seconds: int, as_date: bool) -> list[Header]:
    value = formatdate(time() + seconds, usegmt=True) if as_date else str(seconds)
    return [(b"retry-after", value.encode())]
