"""Whatever a server answers, a movie comes of it only where it is that movie, and no error nobody foresaw."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from movies.tmdb.movie_answers import Failure, Movie
from movies.tmdb.retry import RetryPolicy
from movies.tmdb.tmdb_errors import FatalError
from tests.conftest import SkippingClock
from tests.movies.tmdb.test_bodies import Stream
from tests.movies.tmdb.test_client import fetch_until_stop

pytestmark = pytest.mark.chaos

MOVIE_ID = 7
MOVIE = {"id": MOVIE_ID, "title": "Se7en", "credits": {"cast": [], "crew": []}}
WHOLE = json.dumps(MOVIE).encode()
REASONS = {"not_found", "unexpected_status", "exhausted_retries", "invalid_payload"}

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
nearly_movies = st.fixed_dictionaries(
    {},
    optional={
        "id": st.just(MOVIE_ID) | st.just(str(MOVIE_ID)) | values,
        "credits": st.just(MOVIE["credits"]) | values,
        "title": values,
        "genres": values,
        "budget": values,
    },
)
bodies = st.one_of(
    st.binary(),
    st.text().map(str.encode),
    values.map(lambda value: json.dumps(value).encode()),
    nearly_movies.map(lambda value: json.dumps(value).encode()),
    st.integers(0, len(WHOLE)).map(lambda length: WHOLE[:length]),
    st.just(WHOLE),
    st.just(gzip.compress(WHOLE)),
    st.sampled_from(["utf-8-sig", "utf-16", "utf-32"]).map(WHOLE.decode().encode),
)
dates = st.sampled_from(
    [
        "Fri, 20 Nov 2026 10:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "Mon, 01 Jan 0001 00:00:00 GMT",
        "Mon, 01 Jan 0001 00:00:00 +2359",
        "Thu, 99 Foo 2026 99:99:99 GMT",
        "-1",
    ]
)
header_text = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
numbers = (st.integers() | st.floats()).map(str)
headers = st.fixed_dictionaries(
    {},
    optional={
        "Retry-After": numbers | dates | header_text,
        "Date": dates | header_text,
        "Content-Encoding": st.sampled_from(["gzip", "deflate", "br", "zstd", "identity", "gzip, gzip", "x"]),
        "Content-Type": header_text | st.just("text/html; charset=nonsense"),
        "Location": header_text | st.sampled_from(["//[", "http://elsewhere.test:99999/", "http://\u0080/"]),
    },
)


def fetch_from(status: int, headers: dict[str, str], body: bytes) -> tuple[list[Movie | Failure], Any]:
    """What becomes of one movie, and of another after it, where every answer is the same."""

    def answer(request: httpx.Request) -> httpx.Response:
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        return httpx.Response(status, headers=raw, stream=Stream(body))

    policy = RetryPolicy(max_retries=1)
    fetching = fetch_until_stop(answer, MOVIE_ID, MOVIE_ID + 1, concurrency=1, policy=policy)
    with asyncio.Runner(loop_factory=SkippingClock) as runner:
        outcomes, client = runner.run(fetching)
    return outcomes, client.stop.reason


def is_the_movie(body: bytes) -> bool:
    """By the standard library, which is no stricter: an object with that id, and with cast or crew."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return False
    if not isinstance(value, dict) or not isinstance(value.get("credits"), dict):
        return False
    return float(value["id"]) == MOVIE_ID and not {"cast", "crew"}.isdisjoint(value["credits"])


def unpacked(body: bytes) -> bytes:
    """What is in a body, without a byte-order mark."""
    if body.startswith(b"\x1f\x8b"):
        body = gzip.decompress(body)
    return body.removeprefix(b"\xef\xbb\xbf")


@settings(max_examples=500, deadline=None)
@given(status=st.just(200) | st.integers(100, 599), headers=headers, body=bodies)
@example(status=200, headers={"Date": "Fri, 31 Dec 9999 23:59:59 -2359"}, body=WHOLE)
@example(status=200, headers={"Date": "Fri, 31 Dec 9999 23:59:59 GMT"}, body=WHOLE)
@example(status=200, headers={}, body=WHOLE[:-1] + b', "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")
@example(status=200, headers={}, body=b'{"id": ' + b"7" * 5_000 + b', "credits": {"cast": []}}')
def test_an_answer_of_any_shape_is_the_movie_a_failure_or_the_end_of_the_run(status, headers, body):
    outcomes, reason = fetch_from(status, headers, body)

    assert reason is None or isinstance(reason, FatalError)
    for outcome in outcomes:
        moment = outcome.fetched_at if isinstance(outcome, Movie) else outcome.failed_at
        assert 2020 <= moment.year <= 2120
        if isinstance(outcome, Movie):
            assert status == 200 and outcome.movie_id == MOVIE_ID
            assert is_the_movie(outcome.payload.encode())
            assert outcome.payload.encode() == unpacked(body)
        else:
            assert outcome.reason in REASONS
    if reason is None:
        assert [outcome.movie_id for outcome in outcomes] == [MOVIE_ID, MOVIE_ID + 1]


def test_a_movie_that_is_whole_is_taken_as_it_is():
    [movie, other], reason = fetch_from(200, {}, WHOLE)

    assert movie == Movie(MOVIE_ID, WHOLE.decode(), movie.fetched_at)
    assert (other.reason, reason) == ("invalid_payload", None)
