"""The server's own count is right."""

from __future__ import annotations

import asyncio
from array import array

import httpx
import pytest

from movies.sandbox import Sandbox
from movies.sandbox.stats import max_in_window


def test_requests_are_counted_by_kind_and_movie(sandbox: Sandbox, api: httpx.Client) -> None:
    for path in (
        "/movie/597",
        "/movie/597",
        "/movie/0",
        "/discover/movie",
        "/movie/changes",
        "/configuration",
    ):
        api.get(path)
    httpx.get(f"{sandbox.exports_url}/movie_ids_11_20_2026.json.gz", trust_env=False)
    httpx.get(f"{sandbox.base_url}/movie/13", trust_env=False)
    stats = sandbox.stats()
    assert 1 <= stats.pop("max_per_second") <= 7
    assert stats == {
        "requests": 8,
        "by_kind": {"movie": 4, "discover": 1, "changes": 1, "configuration": 1, "export": 1},
        "by_movie": {"597": 2, "0": 1, "13": 1},
        "refused": {"unauthorized": 1},
        "faults": {},
        "in_flight": 0,
        "max_in_flight": 1,
    }


def test_faults_are_counted(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.set_faults(by_movie={1: "server_error", 2: "wrong_id"})
    for movie_id in (1, 1, 2, 3):
        api.get(f"/movie/{movie_id}")
    assert sandbox.stats()["faults"] == {"server_error": 2, "wrong_id": 1}


async def test_requests_in_flight_at_once_are_counted(sandbox: Sandbox) -> None:
    await asyncio.to_thread(sandbox.set_faults, latency_ms=100)
    headers = {"Authorization": f"Bearer {sandbox.key}"}
    async with httpx.AsyncClient(base_url=sandbox.base_url, headers=headers, trust_env=False) as client:
        await asyncio.gather(*(client.get(f"/movie/{movie_id}") for movie_id in range(1, 8)))
    assert (await asyncio.to_thread(sandbox.stats))["max_in_flight"] == 7


def test_reset_forgets_counts_and_attempts(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.set_faults(server_error=1, first_attempts=1)
    before = [api.get("/movie/597").status_code for _ in range(2)]
    sandbox.reset()
    assert sandbox.stats()["requests"] == 0
    assert [api.get("/movie/597").status_code for _ in range(2)] == before == [500, 200]


def test_arrivals_are_told_on_request(sandbox: Sandbox, api: httpx.Client) -> None:
    for _ in range(3):
        api.get("/movie/597")
    arrivals = sandbox.stats(arrivals=True)["arrivals"]
    assert (len(arrivals), arrivals) == (3, sorted(arrivals))


@pytest.mark.parametrize(
    ("arrivals", "most"),
    [
        pytest.param([], 0, id="none"),
        pytest.param([5.0], 1, id="one"),
        pytest.param([0.0, 0.5, 1.0, 1.25], 3, id="window-is-half-open"),
        pytest.param([0.0, 0.9, 1.8, 2.7], 2, id="spread"),
    ],
)
def test_most_arrivals_in_a_second(arrivals: list[float], most: int) -> None:
    assert max_in_window(array("d", arrivals)) == most
