"""Each fault behaves as it is named, and comes at the same attempts at every run."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from movies.sandbox import Sandbox, SandboxError
from movies.sandbox.faults import Fault, FaultPlan, Faults, parse_faults

Wait = Callable[[Callable[[], bool]], None]
MOVIE = "/movie/597?append_to_response=credits"


def outcomes(api: httpx.Client, movie_ids: range) -> list[int | str]:
    found: list[int | str] = []
    for movie_id in movie_ids:
        try:
            found.append(api.get(f"/movie/{movie_id}").status_code)
        except httpx.TransportError as error:
            found.append(type(error).__name__)
    return found


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("too_many_requests", 429, 25),
        ("server_error", 500, 11),
        ("unavailable", 503, 9),
        ("unauthorized", 401, 7),
    ],
)
@pytest.mark.parametrize("path", [MOVIE, "/discover/movie", "/movie/changes"])
def test_status_faults(
    sandbox: Sandbox, api: httpx.Client, fault: str, status: int, code: int, path: str
) -> None:
    sandbox.set_faults({fault: 1})
    answer = api.get(path)
    assert (answer.status_code, answer.json()["status_code"]) == (status, code)
    assert "retry-after" not in answer.headers


def test_429_tells_the_seconds_to_wait(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.set_faults(too_many_requests=1, retry_after=3)
    assert api.get(MOVIE).headers["retry-after"] == "3"


def test_429_tells_a_date_to_wait_for(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.set_faults(too_many_requests=1, retry_after=60, retry_after_as_date=True)
    asked = time.time()
    wait = parsedate_to_datetime(api.get(MOVIE).headers["retry-after"]).timestamp() - asked
    assert 58 < wait < 62


def test_hang_lasts_until_the_client_leaves(sandbox: Sandbox, api: httpx.Client, wait_until: Wait) -> None:
    sandbox.set_faults(hang=1)
    with pytest.raises(httpx.ReadTimeout):
        api.get(MOVIE, timeout=0.2)
    wait_until(lambda: sandbox.stats()["in_flight"] == 0)


def test_torn_body_ends_before_its_length(sandbox: Sandbox, api: httpx.Client) -> None:
    whole = api.get(MOVIE).content
    sandbox.set_faults(torn_body=1)
    received = b""
    with (
        pytest.raises(httpx.RemoteProtocolError, match="peer closed connection"),
        api.stream("GET", MOVIE) as answer,
    ):
        assert (answer.status_code, answer.headers["content-length"]) == (200, str(len(whole)))
        for chunk in answer.iter_raw():
            received += chunk
    assert received == whole[: len(whole) // 2]


def test_dropped_connection_gives_no_answer(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.set_faults(dropped=1)
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        api.get(MOVIE)


def test_a_body_drips_byte_by_byte_until_the_client_leaves(
    sandbox: Sandbox, api: httpx.Client, wait_until: Wait
) -> None:
    whole = api.get(MOVIE).content
    sandbox.set_faults(drip=1)
    with api.stream("GET", MOVIE) as answer:
        assert (answer.status_code, answer.headers["content-length"]) == (200, str(len(whole)))
        received = b""
        for chunk in answer.iter_raw():
            received += chunk
            if len(received) >= 3:
                break
    assert received == whole[: len(received)] != whole
    wait_until(lambda: sandbox.stats()["in_flight"] == 0)


def test_a_body_that_drips_is_whole_in_the_end(sandbox: Sandbox, api: httpx.Client) -> None:
    whole = api.get("/movie/changes").content
    sandbox.set_faults(drip=1, drip_ms=0.01)
    assert api.get("/movie/changes").json().keys() == json.loads(whole).keys()


def test_a_redirect_leads_to_the_same_path_of_another_server(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.set_faults(redirect=1, redirect_to="http://elsewhere.test")
    answer = api.get(MOVIE)
    assert (answer.status_code, answer.headers["location"]) == (
        302,
        "http://elsewhere.test/3/movie/597?append_to_response=credits",
    )


def test_html_comes_with_status_200(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.set_faults(html=1)
    answer = api.get(MOVIE)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_altered_payloads(sandbox: Sandbox, api: httpx.Client) -> None:
    whole = api.get(MOVIE).json()
    sandbox.set_faults(not_an_object=1)
    assert api.get(MOVIE).json() == []
    sandbox.set_faults(wrong_id=1)
    assert api.get(MOVIE).json() == whole | {"id": 598}
    sandbox.set_faults(missing_credits=1)
    del whole["credits"]
    assert api.get(MOVIE).json() == whole


def test_payload_faults_leave_absent_movies_and_lists_alone(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.set_faults(wrong_id=0.5, missing_credits=0.5)
    assert api.get("/movie/0").status_code == 404
    assert api.get("/discover/movie").json()["total_results"] == 30_026


def test_faults_may_be_for_movies_only(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.set_faults(server_error=1, movies_only=True)
    assert (api.get("/discover/movie").status_code, api.get(MOVIE).status_code) == (200, 500)


def test_exports_meet_faults_too(sandbox: Sandbox) -> None:
    sandbox.set_faults(unavailable=1)
    url = f"{sandbox.exports_url}/movie_ids_11_20_2026.json.gz"
    assert httpx.get(url, trust_env=False).status_code == 503


def test_latency_delays_every_answer(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.set_faults(latency_ms=60)
    began = time.perf_counter()
    api.get(MOVIE)
    assert time.perf_counter() - began >= 0.06


def test_limit_answers_no_more_than_its_number_in_a_second(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.set_faults(limit_per_second=3)
    answers = [api.get(MOVIE) for _ in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 3 + [429] * 5
    assert answers[-1].headers["retry-after"] == "1"
    assert sandbox.stats()["refused"] == {"over_limit": 5}


def test_same_seed_gives_the_same_faults(sandbox: Sandbox, api: httpx.Client) -> None:
    rates = {"server_error": 0.2, "unavailable": 0.2, "dropped": 0.2}
    runs: list[Any] = []
    for seed in (1, 1, 2):
        sandbox.set_faults(rates | {"seed": seed})
        runs.append([outcomes(api, range(1, 40)), outcomes(api, range(1, 40))])
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]
    assert runs[0][0] != runs[0][1]  # another attempt is another draw
    assert set(runs[0][0]) == {200, 500, 503, "RemoteProtocolError"}


def test_shares_are_kept() -> None:
    faults = Faults(server_error=0.1, hang=0.05, seed=3)
    drawn = [faults.draw(movie_id, 1) for movie_id in range(20_000)]
    assert drawn.count(Fault.SERVER_ERROR) / 20_000 == pytest.approx(0.1, abs=0.01)
    assert drawn.count(Fault.HANG) / 20_000 == pytest.approx(0.05, abs=0.01)
    assert drawn.count(None) / 20_000 == pytest.approx(0.85, abs=0.01)


def test_only_the_first_attempts_may_fail() -> None:
    plan = FaultPlan(Faults(server_error=1, first_attempts=2))
    assert [plan.next_fault(597) for _ in range(4)] == [Fault.SERVER_ERROR, Fault.SERVER_ERROR, None, None]


def test_one_movie_may_have_its_own_fault() -> None:
    plan = FaultPlan(Faults.model_validate({"by_movie": {"597": "torn_body"}}))
    assert [plan.next_fault(movie_id) for movie_id in (596, 597, 597)] == [
        None,
        Fault.TORN_BODY,
        Fault.TORN_BODY,
    ]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"server_error": 0.1, "latency_ms": 20, "movies_only": true}', id="json"),
        pytest.param("server_error=0.1, latency_ms=20,movies_only=true", id="pairs"),
    ],
)
def test_faults_are_read_from_text(text: str) -> None:
    assert parse_faults(text) == Faults(server_error=0.1, latency_ms=20, movies_only=True)


@pytest.mark.parametrize("text", ["sever_error=0.1", "server_error=often", "html=0.6,hang=0.6", "hang", "{"])
def test_faults_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_faults(text)


def test_server_refuses_unknown_faults_and_keeps_its_own(sandbox: Sandbox, api: httpx.Client) -> None:
    with pytest.raises(SandboxError, match="explosion"):
        sandbox.set_faults(explosion=1)
    assert api.get(MOVIE).status_code == 200
