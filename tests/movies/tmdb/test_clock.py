"""From when the content of an answer is, whatever caches, the server's clock and this machine's say."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from movies.tmdb.clock import Clock, Stamp
from tests.movies.tmdb.test_client import Server, asked_for, fetch, payload

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def dated(off: timedelta = timedelta(0), **headers: str) -> dict[str, str]:
    """Headers of a server whose clock is so far off this machine's."""
    return {"Date": format_datetime(datetime.now(UTC) + off, usegmt=True), **headers}


def cached(seconds: int) -> dict[str, str]:
    """Headers of an answer that a cache has had for so long, as TMDB's CDN sends them."""
    return dated(-seconds * SECOND, Age=str(seconds))


def answering(headers_of: Mapping[int, dict[str, str]], otherwise: dict[str, str]) -> Server:
    def answer(request: httpx.Request) -> httpx.Response:
        movie_id = asked_for(request)
        return httpx.Response(200, json=payload(movie_id), headers=headers_of.get(movie_id, otherwise))

    return Server(answer)


def seconds_ago(outcome) -> int:
    moment = getattr(outcome, "fetched_at", None) or outcome.failed_at
    return round((datetime.now(UTC) - moment).total_seconds())


def test_an_answer_from_a_cache_moves_no_other_movies_time(run_skipping):
    old = {movie_id: cached(1300) for movie_id in range(0, 18, 3)}

    movies = run_skipping(fetch(answering(old, dated()), *range(18), concurrency=1))

    assert {movie.movie_id: seconds_ago(movie) for movie in movies} == {
        movie_id: 1300 if movie_id in old else 0 for movie_id in range(18)
    }


def test_both_caches_ages_count(run_skipping):
    server = answering(
        {1: cached(800) | {"X-Memc-Age": "3600"}, 2: dated(**{"X-Memc-Age": "86400"})}, dated()
    )

    movies = run_skipping(fetch(server, 1, 2, 3))

    assert [seconds_ago(movie) for movie in movies] == [4400, 86400, 0]


def test_that_a_movie_is_not_at_tmdb_is_from_when_the_cache_heard_so(run_skipping):
    def absent(request: httpx.Request) -> httpx.Response:
        body = {"success": False, "status_code": 34, "status_message": "The resource could not be found."}
        return httpx.Response(404, json=body, headers=cached(700))

    [failure] = run_skipping(fetch(Server(absent), 7))

    assert (failure.reason, seconds_ago(failure)) == ("not_found", 700)


@pytest.mark.parametrize("off", [timedelta(minutes=10), timedelta(days=400)], ids=["minutes", "a year"])
@pytest.mark.parametrize("sign", [1, -1], ids=["behind", "ahead"])
def test_a_clock_of_this_machine_that_is_wrong_is_set_right_for_every_movie(off, sign, run_skipping):
    movies = run_skipping(fetch(answering({}, dated(sign * off)), 1, 2, concurrency=1))

    assert [seconds_ago(movie) for movie in movies] == [pytest.approx(-sign * off.total_seconds(), abs=2)] * 2


@pytest.mark.parametrize("strange", ["Mon, 30 Nov 2119 08:43:22 GMT", "Wed, 01 Jan 2025 00:00:00 GMT"])
@pytest.mark.parametrize("position", [0, 3, 8])
def test_one_date_that_nothing_confirms_is_ignored_with_a_warning(strange, position, run_skipping, caplog):
    server = answering({position: {"Date": strange}}, dated())

    movies = run_skipping(fetch(server, *range(9), concurrency=1))

    assert [seconds_ago(movie) for movie in movies] == [0] * 9
    assert "neither this machine's clock nor other answers confirm. The date is ignored" in caplog.text


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Date": date}, id=date)
        for date in (
            "Fri, 31 Dec 9999 23:59:59 -0900",
            "Mon, 01 Jan 0001 00:00:00 GMT",
            "Thu, 01 Jan 1970 00:00:00 GMT",
            "Mon, 30 Nov 2026 08:43:22 +99999999999999999999",
            "Mon, 30 Nov 99999999999999999999 08:43:22 GMT",
            "yesterday",
            "",
        )
    ]
    + [
        pytest.param({"Age": age, "X-Memc-Age": age}, id=f"age {age}")
        for age in ("-5", "1e9", "9" * 40, "99999999999", "old", "", "1, 2")
    ],
)
def test_headers_that_say_no_time_are_passed_over(headers, run_skipping, caplog):
    movies = run_skipping(fetch(answering({}, dated() | headers), 1, 2, 3, concurrency=1))

    assert [seconds_ago(movie) for movie in movies] == [0, 0, 0]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_date_beside_an_age_that_cannot_be_read_is_no_clock():
    assert Stamp.of(dated(Age="old")) == Stamp(None, timedelta(0))


def test_a_clock_is_confirmed_by_the_first_answer_that_is_believed():
    clock = Clock()
    for date, confirmed in (("garbage", False), ("Mon, 30 Nov 2119 08:43:22 GMT", False)):
        clock.hear(Stamp.of({"Date": date}))
        assert clock.is_confirmed is confirmed
    clock.hear(Stamp.of(dated()))
    assert clock.is_confirmed
