"""Bodies as servers send them: packed with no word of it, several times over, torn, and endless."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import AsyncIterator

import httpx
import pytest

from movies.bounded import LARGEST_ANSWER, MIB, Limit
from movies.tmdb.movie_answers import Failure, Movie
from movies.tmdb.retry import RetryPolicy
from tests.movies.tmdb.test_client import Server, answer, asked_for, fetch, payload

TEXT = json.dumps(payload(7))
WHOLE = TEXT.encode()
PACKED = gzip.compress(WHOLE)


class Stream(httpx.AsyncByteStream):
    """Sends a chunk so many times, and counts how often it was asked for one."""

    def __init__(self, chunk: bytes, times: int = 1) -> None:
        self.chunk, self.times, self.sent = chunk, times, 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.sent < self.times:
            self.sent += 1
            yield self.chunk


def answering(body: bytes, status: int = 200, **headers: str):
    return lambda request: httpx.Response(status, headers=headers, stream=Stream(body))


GZIP = {"Content-Encoding": "gzip"}


@pytest.mark.parametrize(
    "handler",
    [
        pytest.param(answering(PACKED), id="no-header"),
        pytest.param(answering(PACKED, **GZIP), id="header"),
        pytest.param(answering(gzip.compress(PACKED), **GZIP), id="packed-again-by-a-cache"),
        pytest.param(answering(gzip.compress(PACKED), **{"Content-Encoding": "gzip, gzip"}), id="twice"),
        pytest.param(answering(WHOLE, **GZIP), id="header-that-lies"),
        pytest.param(answering(gzip.compress(WHOLE[:20]) + gzip.compress(WHOLE[20:])), id="two-members"),
        pytest.param(answering(b"\xef\xbb\xbf" + WHOLE), id="byte-order-mark"),
    ],
)
def test_a_body_is_the_movie_however_it_is_packed(handler, run_skipping):
    server = Server(handler)

    [movie] = run_skipping(fetch(server, 7))

    assert movie == Movie(7, TEXT, movie.fetched_at)
    assert server.asked == {7: 1}
    assert server.requests[0].headers["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize("body", [PACKED[:-5], PACKED[:-8] + b"12345678"], ids=["torn", "damaged"])
def test_a_body_that_cannot_be_unpacked_is_tried_again_and_no_silence(body, run_skipping):
    server = Server(*[answering(body, **GZIP)] * 2)
    [movie] = run_skipping(fetch(server, 7))
    assert isinstance(movie, Movie)

    outcomes = run_skipping(
        fetch(Server(*[answering(body)] * 9), 1, 2, 3, 4, policy=RetryPolicy(max_retries=1))
    )
    assert [(one.reason, one.attempts, one.http_status) for one in outcomes] == [
        ("invalid_payload", 2, 200)
    ] * 4
    assert outcomes[0].detail.startswith("the body cannot be decoded: ")


BOMB = gzip.compress(bytes(64 * MIB))


@pytest.mark.parametrize(
    ("chunk", "headers"),
    [
        (BOMB, {}),
        (BOMB, GZIP),
        (gzip.compress(BOMB * 9), GZIP),
        (b" " * 2**16, {}),
    ],
    ids=["bomb", "bomb-with-header", "bomb-of-bombs", "endless"],
)
def test_a_body_without_end_costs_its_movie_and_no_more_memory_than_its_bound(chunk, headers, run_skipping):
    stream = Stream(chunk, 1_000_000)

    def handler(request: httpx.Request) -> httpx.Response:
        endless = httpx.Response(200, headers=headers, stream=stream)
        return endless if asked_for(request) == 7 else answer(request)

    server = Server(handler)

    tracemalloc.start()
    try:
        failure, other = run_skipping(fetch(server, 7, 8, concurrency=1))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    sentence = "the body has more than 33,554,432 bytes (LARGEST_ANSWER)"
    assert failure == Failure(7, "invalid_payload", sentence, 200, 1, failure.failed_at)
    assert isinstance(other, Movie)
    assert server.asked == {7: 1, 8: 1}
    assert peak < 2.5 * LARGEST_ANSWER.most


def test_where_a_status_says_what_is_the_matter_its_body_does_not_count(monkeypatch, run_skipping):
    monkeypatch.setattr("movies.tmdb.bodies.LARGEST_ANSWER", Limit("SMALL", 100))
    server = Server(*[answering(b"x" * 101, 503)] * 9)

    [failure] = run_skipping(fetch(server, 7, policy=RetryPolicy(max_retries=1)))

    assert (failure.reason, failure.http_status, failure.attempts) == ("exhausted_retries", 503, 2)


def test_texts_of_a_megabyte_each_come_through(run_skipping):
    movie = payload(7, **dict.fromkeys(("title", "overview", "tagline", "homepage"), "ä" * MIB))
    text = json.dumps(movie, ensure_ascii=False)

    [fetched] = run_skipping(fetch(Server(answering(gzip.compress(text.encode(), 1), **GZIP)), 7))

    assert fetched.payload == text
