"""A server that answers no one, told from movies that it cannot answer."""

from __future__ import annotations

import asyncio
import math
from datetime import UTC, datetime

import httpx
import pytest

from movies.tmdb.movie_answers import Failure, Movie
from movies.tmdb.retry import RetryPolicy, parse_retry_after
from movies.tmdb.stop import Stop
from movies.tmdb.tmdb_errors import LongPauseError, OutageError, UnreachableError
from tests.movies.tmdb.test_client import (
    Handler,
    Server,
    asked_for,
    fetch,
    fetch_until_stop,
    raising,
    refusing,
    status,
)

OFFLINE = refusing(503, 9, "Service offline.")
PAGE = "<html><body>502 Bad Gateway</body></html>"


class Away(Server):
    """Answers `fault` between two moments, counted from the first request; notes when it did."""

    def __init__(self, fault: Handler, since: float = 0.0, until: float = math.inf) -> None:
        super().__init__()
        self.fault, self.since, self.until = fault, since, until
        self.unanswered: list[float] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        good = await super().__call__(request)
        if self.since <= self.times[-1] - self.times[0] < self.until:
            self.unanswered.append(self.times[-1])
            return self.fault(request)
        return good


class Broken(Server):
    """Answers some movies with a fault, always."""

    def __init__(self, fault: Handler, *movie_ids: int) -> None:
        super().__init__()
        self.fault, self.movie_ids = fault, movie_ids

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        good = await super().__call__(request)
        return self.fault(request) if asked_for(request) in self.movie_ids else good


FAULTS = {
    "offline": OFFLINE,
    "maintenance": refusing(503, 46, "The API is undergoing maintenance."),
    "bad-gateway": status(502),
    "gateway-time-out": lambda request: httpx.Response(504, text=PAGE),
    "internal-error": refusing(500, 11, "Internal error."),
    "page": lambda request: httpx.Response(200, text=PAGE),
    "404-with-a-page": lambda request: httpx.Response(404, text=PAGE),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("since", [0, 1])
def test_an_outage_costs_few_requests_and_no_movie_and_stops_after_its_time(fault, since, run_skipping):
    server = Away(fault, since)
    stop = Stop()

    with pytest.raises(OutageError, match=r"http://tmdb.test/ has had an outage for 10 minutes"):
        run_skipping(fetch(server, *range(300), requests_per_second=50, stop=stop))

    assert len(server.unanswered) < 50
    assert 590 < server.unanswered[-1] - server.unanswered[0] < 640


def test_the_last_answer_of_an_outage_is_quoted(run_skipping):
    with pytest.raises(OutageError, match=r"503 Service Unavailable \(TMDB: 9, Service offline\.\)"):
        run_skipping(fetch(Away(OFFLINE), *range(10)))


@pytest.mark.parametrize("fault", [OFFLINE, raising(httpx.ConnectError), raising(httpx.ReadError)])
@pytest.mark.parametrize("max_retries", [0, 5])
def test_an_outage_that_ends_costs_no_movie(fault, max_retries, run_skipping):
    server = Away(fault, 1, 400)
    policy = RetryPolicy(max_retries=max_retries)

    outcomes = run_skipping(fetch(server, *range(300), requests_per_second=50, policy=policy))

    assert {type(outcome) for outcome in outcomes} == {Movie}
    assert len(server.unanswered) < 50


def test_while_the_server_is_away_one_request_at_a_time_is_in_flight(run_skipping):
    in_flight: list[int] = []

    class Noted(Away):
        async def __call__(self, request: httpx.Request) -> httpx.Response:
            in_flight.append(self.in_flight)
            return await super().__call__(request)

    server = Noted(OFFLINE, 0, 300)
    run_skipping(fetch(server, *range(50), concurrency=20))

    # Those in flight when it began, and the probes.
    probes = len(server.unanswered)
    assert set(in_flight[20:probes]) == {0}
    assert max(in_flight) > 1


@pytest.mark.parametrize("concurrency", [1, 5])
def test_no_failure_is_recorded_in_an_outage_though_there_is_one_try_only(concurrency, run_skipping):
    policy = RetryPolicy(max_retries=0)

    outcomes, client = run_skipping(
        fetch_until_stop(Away(OFFLINE), *range(60), concurrency=concurrency, policy=policy)
    )

    assert (type(client.stop.reason), outcomes) == (OutageError, [])


@pytest.mark.parametrize(
    "fault", [OFFLINE, raising(httpx.ReadError), raising(httpx.ReadTimeout), status(429)]
)
@pytest.mark.parametrize("max_retries", [0, 2])
@pytest.mark.parametrize("others", [200, 0])
def test_movies_that_fail_by_themselves_are_recorded_and_the_run_goes_on(
    fault, max_retries, others, run_skipping
):
    broken = (0, 1, 2)
    server = Broken(fault, *broken)

    outcomes = run_skipping(
        fetch(server, *range(3 + others), concurrency=1, policy=RetryPolicy(max_retries=max_retries))
    )

    failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    assert [(one.movie_id, one.reason) for one in failures] == [
        (movie_id, "exhausted_retries") for movie_id in broken
    ]
    assert len(outcomes) == 3 + others


def test_many_movies_that_fail_by_themselves_are_no_outage_where_others_are_answered(run_skipping):
    broken = range(0, 300, 10)

    outcomes = run_skipping(
        fetch(Broken(raising(httpx.ReadError), *broken), *range(300), requests_per_second=50)
    )

    assert [outcome.movie_id for outcome in outcomes if isinstance(outcome, Failure)] == [*broken]


def test_a_server_that_fails_at_every_first_try_is_not_away(run_skipping):
    outcomes = run_skipping(fetch(Server(OFFLINE), *range(60)))

    assert {type(outcome) for outcome in outcomes} == {Movie}


def test_refusals_that_never_end_are_an_outage(run_skipping):
    server = Away(status(429))

    with pytest.raises(OutageError, match="429 Too Many Requests"):
        run_skipping(fetch(server, *range(300), requests_per_second=40))
    assert len(server.requests) < 150


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.ProxyError,
        httpx.ReadError,
        httpx.ReadTimeout,
        httpx.RemoteProtocolError,
    ],
)
@pytest.mark.parametrize(("since", "longest_seconds"), [(0, 70), (1, 640)], ids=["never", "no-more"])
def test_a_server_that_answers_nobody_is_given_up_soon_if_it_never_did(
    error, since, longest_seconds, run_skipping
):
    server = Away(raising(error), since)

    with pytest.raises(UnreachableError, match=r"No answer from http://tmdb\.test/.*TMDB_BASE_URL"):
        run_skipping(fetch(server, *range(300), requests_per_second=50))
    assert server.unanswered[-1] - server.unanswered[0] < longest_seconds


@pytest.mark.parametrize("code", [429, 500, 502, 503, 404])
def test_retry_after_of_any_status_holds_all_back(code, run_skipping):
    server = Broken(status(code, **{"Retry-After": "120"}), 0)

    run_skipping(fetch(server, *range(50), concurrency=1, policy=RetryPolicy(max_retries=1)))

    waits = sorted(later - earlier for earlier, later in zip(server.times, server.times[1:], strict=False))
    assert [round(wait) for wait in waits[-2:]] == [120, 120]


def test_a_pause_that_is_shorter_than_the_bound_is_waited_out_in_an_outage(run_skipping):
    server = Away(refusing(503, 46, "Maintenance.", **{"Retry-After": "400"}), 0, 399)

    outcomes = run_skipping(fetch(server, *range(50)))

    assert {type(outcome) for outcome in outcomes} == {Movie}
    assert len(server.unanswered) <= 5


@pytest.mark.parametrize("code", [429, 502, 503])
def test_a_pause_that_is_longer_than_the_bound_stops_the_run_at_once(code, run_skipping):
    server = Away(status(code, **{"Retry-After": "31"}))

    with pytest.raises(LongPauseError, match="TMDB asks to wait 31 seconds"):
        run_skipping(fetch(server, *range(300), outage_seconds=30))
    assert len(server.requests) <= 5


def test_a_stop_ends_the_waiting_in_an_outage_at_once(run_skipping):
    async def run() -> float:
        stop = Stop()
        fetching = asyncio.ensure_future(fetch(Away(OFFLINE), *range(300), stop=stop))
        await asyncio.sleep(100)
        began = asyncio.get_running_loop().time()
        stop.set(RuntimeError("Ctrl-C"))
        with pytest.raises(RuntimeError, match="Ctrl-C"):
            await fetching
        return asyncio.get_running_loop().time() - began

    assert run_skipping(run()) < 1


NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0),
        ("120", 120),
        ("1.5", 1.5),
        ("-5", 0),
        ("Mon, 30 Nov 2026 12:01:00 GMT", 60),
        ("Mon, 30 Nov 2026 12:01:00", 60),
        ("Mon, 30 Nov 2026 11:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 -0900", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None),
        ("Thu, 30 Nov 2119 12:00:00 GMT", None),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 0),
        ("Mon, 30 Nov 2026 12:01:00 +99999999999999999999", None),
        ("Mon, 30 Nov 99999999999999999999 12:01:00 GMT", None),
        ("1e400", None),
        ("inf", None),
        ("nan", None),
        ("9" * 400, None),
        ("31622400000", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_anything_absurd_is_passed_over(
    value: str | None, seconds: float | None
) -> None:
    assert parse_retry_after(value, NOW) == seconds
