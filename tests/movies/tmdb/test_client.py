import asyncio
import logging
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from movies.project import version
from movies.tmdb.client import FetchStats, TmdbClient, open_client
from movies.tmdb.movie_answers import Failure, Movie, fetch_movies
from movies.tmdb.pace import Pace
from movies.tmdb.retry import RetryPolicy
from movies.tmdb.stop import Stop
from movies.tmdb.tmdb_errors import (
    AccessDeniedError,
    BadKeyError,
    BudgetSpent,
    CertificateError,
    FatalError,
)

V3_KEY = "0123456789abcdef0123456789abcdef"

Handler = Callable[[httpx.Request], httpx.Response]


def payload(movie_id: int, **changes: object) -> dict[str, object]:
    return {"id": movie_id, "title": f"Movie {movie_id}", "credits": {"cast": [], "crew": []}} | changes


def asked_for(request: httpx.Request) -> int:
    return int(request.url.path.rsplit("/", 1)[1])


def answer(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json=payload(asked_for(request)))


class Server:
    """Answers each movie with `faults` first and then as it should; notes what came when."""

    def __init__(self, *faults: Handler, latency_seconds: float = 0.01) -> None:
        self.faults = faults
        self.latency_seconds = latency_seconds
        self.asked: Counter[int] = Counter()
        self.times: list[float] = []
        self.requests: list[httpx.Request] = []
        self.in_flight = 0
        self.most_in_flight = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        movie_id = asked_for(request)
        number = self.asked[movie_id]
        self.asked[movie_id] += 1
        self.times.append(asyncio.get_running_loop().time())
        self.requests.append(request)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self.latency_seconds)
            return self.faults[number](request) if number < len(self.faults) else answer(request)
        finally:
            self.in_flight -= 1


async def fetch_until_stop(
    server: Server | Handler,
    *movie_ids: int,
    requests_per_second: float = 1000,
    concurrency: int = 5,
    policy: RetryPolicy | None = None,
    stop: Stop | None = None,
    max_requests: int | None = None,
    outage_seconds: float = 600,
    **keys: str,
) -> tuple[list[Movie | Failure], TmdbClient]:
    """Fetch movies, also if something stops that; return what became of them, and the client."""
    async with open_client(
        "http://tmdb.test/3",
        pace=Pace(requests_per_second, concurrency),
        concurrency=concurrency,
        policy=policy,
        stop=stop,
        max_requests=max_requests,
        outage_seconds=outage_seconds,
        transport=httpx.MockTransport(server),
        **(keys or {"api_key": "k3y"}),
    ) as client:
        return await fetch_movies(client, movie_ids), client


async def fetch(server: Server | Handler, *movie_ids: int, **options: Any) -> list[Movie | Failure]:
    """Fetch movies; raise what stopped that."""
    outcomes, client = await fetch_until_stop(server, *movie_ids, **options)
    if client.stop.reason is not None:
        raise client.stop.reason
    return outcomes


def status(code: int, **headers: str) -> Handler:
    return lambda request: httpx.Response(code, headers=headers)


def refusing(code: int, status_code: int, message: str, **headers: str) -> Handler:
    """Answers as TMDB refuses, with a code and a message of its own."""
    said = {"success": False, "status_code": status_code, "status_message": message}
    return lambda request: httpx.Response(code, json=said, headers=headers)


def raising(error: type[Exception]) -> Handler:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error("no luck")

    return fail


def body(text: str) -> Handler:
    return lambda request: httpx.Response(200, text=text)


def changed(**changes: object) -> Handler:
    return lambda request: httpx.Response(200, json=payload(asked_for(request)) | changes)


def without_credits(request: httpx.Request) -> httpx.Response:
    whole = payload(asked_for(request))
    del whole["credits"]
    return httpx.Response(200, json=whole)


def test_a_movie_is_one_request_with_its_credits_appended_and_kept_verbatim(run_skipping):
    text = '{"credits" : {"cast":[],"crew":[]},\n "id": 7, "title": "Ünï \\u00e9", "popularity": 1.50}'
    server = Server(body(text))

    [movie] = run_skipping(fetch(server, 7))

    assert movie == Movie(7, text, movie.fetched_at)
    assert movie.fetched_at.tzinfo is UTC
    [request] = server.requests
    assert str(request.url) == "http://tmdb.test/3/movie/7?api_key=k3y&append_to_response=credits"


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(status(429), id="429"),
        pytest.param(status(429, **{"Retry-After": "2"}), id="429-retry-after"),
        pytest.param(status(429, **{"Retry-After": "soon"}), id="429-unreadable-retry-after"),
        pytest.param(status(500), id="500"),
        pytest.param(status(503), id="503"),
        pytest.param(raising(httpx.ReadTimeout), id="time-out"),
        pytest.param(raising(httpx.ConnectError), id="no-connection"),
        pytest.param(raising(httpx.RemoteProtocolError), id="torn-body"),
        pytest.param(raising(httpx.ReadError), id="dropped-connection"),
        pytest.param(body("<html>busy</html>"), id="html"),
        pytest.param(body('{"id": 7, "credits": {'), id="half-a-body"),
        pytest.param(body("[]"), id="list"),
        pytest.param(body(""), id="empty"),
        pytest.param(
            body('{"id": 7, "credits": {"cast": []}, "x": ' + "[" * 99_999 + "]" * 99_999 + "}"),
            id="too-deep",
        ),
        pytest.param(changed(id=8), id="another-movie"),
        pytest.param(changed(credits=None), id="null-credits"),
        pytest.param(without_credits, id="no-credits"),
    ],
)
def test_what_may_pass_is_tried_again(fault, run_skipping):
    server = Server(fault, fault)

    [movie] = run_skipping(fetch(server, 7))

    assert isinstance(movie, Movie)
    assert server.asked == {7: 3}


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (status(500), Failure(7, "exhausted_retries", "500 Internal Server Error", 500, 3, datetime.min)),
        (body("[]"), "invalid_payload"),
        (raising(httpx.ReadTimeout), "exhausted_retries"),
    ],
    ids=["500", "list", "time-out"],
)
def test_when_tries_run_out_the_reason_is_recorded(fault, expected, run_skipping):
    server = Server(*[fault] * 9)

    [failure] = run_skipping(fetch(server, 7, policy=RetryPolicy(max_retries=2)))

    assert server.asked == {7: 3}
    if isinstance(expected, str):
        assert (failure.reason, failure.attempts) == (expected, 3)
    else:
        assert replace(failure, failed_at=datetime.min) == expected


@pytest.mark.parametrize("code", [6, 34, 37])
def test_a_404_in_tmdbs_own_words_is_a_missing_movie(code, run_skipping):
    [failure] = run_skipping(fetch(Server(refusing(404, code, "Not here.")), 7))

    said = f"TMDB has no such movie ({code}, Not here.)"
    assert failure == Failure(7, "not_found", said, 404, 1, failure.failed_at)


@pytest.mark.parametrize(("status_code", "code"), [(500, 44), (501, 2)])
def test_what_tmdb_calls_permanent_is_not_tried_again(status_code, code, run_skipping):
    server = Server(*[refusing(status_code, code, "The ID is invalid.")] * 9)

    [failure] = run_skipping(fetch(server, 7))

    assert (failure.reason, failure.http_status, failure.attempts) == ("unexpected_status", status_code, 1)
    assert failure.detail.endswith(f" (TMDB: {code}, The ID is invalid.)")


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (7, "TMDB does not accept the key: check TMDB_API_KEY or TMDB_ACCESS_TOKEN"),
        (10, "TMDB has suspended the key"),
        (31, "TMDB has disabled the account of the key"),
        (3, "TMDB gives the key no permission"),
    ],
)
@pytest.mark.parametrize("status_code", [401, 403])
def test_a_key_that_is_refused_stops_the_run_with_the_reason(code, sentence, status_code, run_skipping):
    server = Server(*[refusing(status_code, code, "In TMDB's words.")] * 9)

    with pytest.raises(FatalError) as stopped:
        run_skipping(fetch(server, *range(50)))

    if (status_code, code) != (403, 7):
        assert str(stopped.value).startswith(sentence)
    assert f"(TMDB: {code}, In TMDB's words.)" in str(stopped.value)
    assert len(server.requests) <= 5


def test_tmdbs_own_words_stand_in_failure_and_log_without_secrets_or_control_characters(run_skipping, caplog):
    caplog.set_level(logging.INFO)
    message = f"Sorry {V3_KEY}\x1b[2J\x9b\x7f\r\n{'x' * 9999}"
    server = Server(*[refusing(503, 9, message)] * 9)

    [failure] = run_skipping(fetch(server, 7, policy=RetryPolicy(max_retries=1), api_key=V3_KEY))

    said = "503 Service Unavailable (TMDB: 9, Sorry ***\\x1b[2J\\x9b\\x7f\\r\\nxxx"
    assert failure.detail.startswith(said)
    assert len(failure.detail) < 300
    assert said in caplog.text and "\x1b" not in caplog.text and V3_KEY not in caplog.text


@pytest.mark.parametrize(
    "location",
    ["javascript:alert(1)", "http://[", "http://a b/", "//", "http://\u0080/", "http://x:99999999/", ""],
)
def test_an_odd_location_costs_its_movie_and_not_the_run(location, run_skipping):
    def odd(request: httpx.Request) -> httpx.Response:
        if asked_for(request) != 3:
            return answer(request)
        return httpx.Response(302, headers=[(b"Location", location.encode())])

    outcomes = run_skipping(fetch(Server(*[odd] * 9), *range(6)))

    assert [outcome.movie_id for outcome in outcomes if isinstance(outcome, Movie)] == [0, 1, 2, 4, 5]
    assert [(one.reason, one.http_status) for one in outcomes if isinstance(one, Failure)] == [
        ("unexpected_status", 302)
    ]


def test_a_redirect_is_refused_so_that_the_key_does_not_follow_it(run_skipping):
    server = Server(status(302, Location="http://elsewhere.test/3/movie/7"))

    [failure] = run_skipping(fetch(server, 7))

    assert (failure.reason, failure.http_status) == ("unexpected_status", 302)
    assert {request.url.host for request in server.requests} == {"tmdb.test"}


@pytest.mark.parametrize(
    ("code", "error", "sentence"),
    [(401, BadKeyError, "check TMDB_API_KEY or TMDB_ACCESS_TOKEN"), (403, AccessDeniedError, "403")],
)
def test_a_refused_key_or_access_stops_everything_though_no_reason_comes_with_it(
    code, error, sentence, run_skipping
):
    server = Server(status(code))

    with pytest.raises(error, match=sentence):
        run_skipping(fetch(server, *range(100)))
    assert len(server.requests) <= 6


def test_a_certificate_that_is_not_the_servers_stops_the_run_at_once(run_skipping):
    def another_host(request: httpx.Request) -> httpx.Response:
        try:
            raise ssl.SSLCertVerificationError("Hostname mismatch")
        except ssl.SSLError as error:
            raise httpx.ConnectError("handshake") from error

    server = Server(*[another_host] * 9)
    with pytest.raises(CertificateError, match=r"certificate of tmdb\.test cannot be trusted"):
        run_skipping(fetch(server, 1, concurrency=1))
    assert len(server.requests) == 1


def test_a_run_stops_when_its_requests_are_spent_tries_included(run_skipping):
    server = Server(status(500))
    with pytest.raises(BudgetSpent, match="the 7 requests of this run are spent"):
        run_skipping(fetch(server, *range(20), max_requests=7))

    assert len(server.requests) == 7


def test_a_payload_is_not_older_than_it_says(run_skipping):
    arrived: list[datetime] = []

    def note(request: httpx.Request) -> httpx.Response:
        arrived.append(datetime.now(UTC))
        return answer(request)

    before = datetime.now(UTC)
    [movie] = run_skipping(fetch(Server(note), 7))

    assert before <= movie.fetched_at <= arrived[0]


def test_errors_are_counted_by_kind_also_where_a_retry_helped(run_skipping):
    server = Server(status(500), raising(httpx.ReadTimeout), status(429), body("[]"))

    _, client = run_skipping(fetch_until_stop(server, 7))

    assert client.stats == FetchStats(
        requests=5, retries=4, errors=Counter({"500": 1, "ReadTimeout": 1, "429": 1, "invalid_payload": 1})
    )


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("<html>no such backend</html>", id="page"),
        pytest.param("{}", id="empty-object"),
        pytest.param("", id="nothing"),
        pytest.param('{"status_code": 11, "status_message": "Internal error"}', id="another-code"),
        pytest.param('{"status_code": "34"}', id="no-code"),
    ],
)
def test_a_404_that_is_not_tmdbs_is_tried_again_and_never_taken_for_a_missing_movie(said, run_skipping):
    def page(request: httpx.Request) -> httpx.Response:
        return httpx.Response(404, text=said)

    [movie] = run_skipping(fetch(Server(page), 7))
    [failure] = run_skipping(fetch(Server(*[page] * 9), 7, policy=RetryPolicy(max_retries=1)))

    assert isinstance(movie, Movie)
    assert (failure.reason, failure.http_status) == ("exhausted_retries", 404)


def test_waiting_for_a_first_turn_takes_nothing_from_a_movies_time(run_skipping):
    server = Server(status(500))

    movies = run_skipping(fetch(server, *range(900), requests_per_second=2, concurrency=5))

    assert {type(movie) for movie in movies} == {Movie}


def test_an_error_nobody_foresaw_stops_the_run_and_keeps_what_was_fetched(run_skipping):
    class Breaks(Server):
        async def __call__(self, request: httpx.Request) -> httpx.Response:
            if len(self.requests) == 3:
                raise RuntimeError("a bug")
            return await super().__call__(request)

    outcomes, client = run_skipping(fetch_until_stop(Breaks(), *range(10), concurrency=1))

    assert [outcome.movie_id for outcome in outcomes] == [0, 1, 2]
    assert repr(client.stop.reason) == "RuntimeError('a bug')"


def test_five_429_at_once_do_not_stop_the_five_places(run_skipping):
    server = Server(status(429, **{"Retry-After": "1"}))

    movies = run_skipping(fetch(server, *range(20), concurrency=5))

    assert [movie.movie_id for movie in movies] == list(range(20))


def test_waits_grow_with_full_jitter_up_to_a_bound():
    bounds = [0.5, 1, 2, 4, 8, 16, 30, 30]
    rounds = [list(RetryPolicy(max_retries=8).waits()) for _ in range(200)]

    for waits in rounds:
        assert all(0 <= wait <= bound for wait, bound in zip(waits, bounds, strict=True))
    highest = [max(column) for column in zip(*rounds, strict=True)]
    assert all(high > 0.8 * bound for high, bound in zip(highest, bounds, strict=True))


def test_a_movie_is_given_up_when_its_time_is_over_though_tries_are_left(run_skipping):
    server = Server(*[status(500)] * 100)

    [failure] = run_skipping(fetch(server, 7, policy=RetryPolicy(max_retries=100, max_total_seconds=60)))

    assert failure.reason == "exhausted_retries"
    assert server.times[-1] - server.times[0] <= 60


def test_requests_in_flight_never_exceed_the_bound(run_skipping):
    server = Server(status(500), latency_seconds=0.1)

    run_skipping(fetch(server, *range(40), concurrency=4))

    assert server.most_in_flight == 4


def test_a_movie_that_waits_for_its_next_try_leaves_its_place_to_others(run_skipping):
    class OneBad(Server):
        async def __call__(self, request: httpx.Request) -> httpx.Response:
            good = await super().__call__(request)
            return httpx.Response(500) if asked_for(request) == 0 else good

    server = OneBad(latency_seconds=0.01)
    policy = RetryPolicy(max_retries=1, base_seconds=1000, max_wait_seconds=1000, max_total_seconds=9999)
    run_skipping(fetch(server, *range(30), concurrency=1, policy=policy))

    others = [
        time for time, request in zip(server.times, server.requests, strict=True) if asked_for(request) != 0
    ]
    assert max(others) - min(others) < 1


def test_a_stop_ends_waiting_and_leaves_what_was_not_begun(run_skipping):
    stop = Stop()

    class StopsAtThird(Server):
        async def __call__(self, request: httpx.Request) -> httpx.Response:
            if len(self.requests) == 2:
                stop.set(FatalError("enough"))
            return await super().__call__(request)

    outcomes, client = run_skipping(fetch_until_stop(StopsAtThird(), *range(100), concurrency=1, stop=stop))

    assert [outcome.movie_id for outcome in outcomes] == [0, 1, 2]
    assert client.stats.requests == 3


@pytest.mark.parametrize(
    ("keys", "query", "header"),
    [
        ({"api_key": "abc"}, "abc", None),
        ({"access_token": "eyJx.y.z"}, None, "Bearer eyJx.y.z"),
        ({"api_key": "eyJx.y.z"}, None, "Bearer eyJx.y.z"),
        ({"api_key": "abc", "access_token": "eyJx.y.z"}, None, "Bearer eyJx.y.z"),
        ({"access_token": V3_KEY}, V3_KEY, None),
        ({"api_key": "eyJx.y.z", "access_token": V3_KEY}, None, "Bearer eyJx.y.z"),
        ({"api_key": V3_KEY, "access_token": V3_KEY[::-1]}, V3_KEY, None),
    ],
    ids=["v3-key", "v4-token", "v4-token-as-key", "both", "v3-key-as-token", "swapped", "two-keys"],
)
def test_a_token_travels_in_a_header_and_only_a_v3_key_in_the_query(keys, query, header, run_skipping):
    server = Server()

    run_skipping(fetch(server, 7, **keys))

    [request] = server.requests
    assert request.url.params.get("api_key") == query
    assert request.headers.get("Authorization") == header
    assert request.headers["User-Agent"] == f"tmdb-movie-pipeline/{version()}"


def test_no_key_reaches_a_failure_or_a_log_not_even_httpxs(run_skipping, caplog):
    caplog.set_level(logging.DEBUG)

    def leak(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError(f"broken: {request.url}")

    [failure] = run_skipping(
        fetch(Server(*[leak] * 9), 7, policy=RetryPolicy(max_retries=1), api_key="s3cr3t")
    )

    assert failure.detail == (
        "ReadError: broken: http://tmdb.test/3/movie/7?api_key=***&append_to_response=credits"
    )
    run_skipping(fetch(Server(), 7, api_key="s3cr3t"))
    assert "HTTP Request: GET http://tmdb.test/3/movie/7?api_key=***" in caplog.text
    assert "s3cr3t" not in caplog.text
