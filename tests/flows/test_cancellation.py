"""A run that Prefect cancels, as a worker does it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import pytest

from tests.places import PROJECT_ROOT, RUN_SECONDS, Place, await_requests, clean_environment

pytestmark = pytest.mark.chaos

MOVIES = 800


@pytest.fixture
def api(prefect_api) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=prefect_api, trust_env=False, timeout=RUN_SECONDS) as client:
        yield client


def deploy(api: httpx.Client, place: Place, pool: str) -> str:
    """Make a deployment of `ingest-movies` that a worker of this machine runs; return its id."""
    api.post("/work_pools/", json={"name": pool, "type": "process"}).raise_for_status()
    flow = api.post("/flows/", json={"name": "ingest-movies"}).json()["id"]
    folder = {"prefect.deployments.steps.set_working_directory": {"directory": str(place.folder)}}
    deployment = api.post(
        "/deployments/",
        json={
            "name": pool,
            "flow_id": flow,
            "entrypoint": "flows.ingest.ingest_movies",
            "work_pool_name": pool,
            "path": str(PROJECT_ROOT),
            "pull_steps": [folder],
        },
    )
    return str(deployment.json()["id"])


def test_a_cancelled_run_drains_to_a_checkpoint_and_the_next_one_goes_on(served, api):
    place, sandbox = served(synthetic=MOVIES, payload_bytes=4096, faults={"latency_ms": 10})
    deployment = deploy(api, place, pool := uuid4().hex)
    worker = subprocess.Popen(
        [sys.executable, "-m", "prefect", "worker", "start", "--pool", pool, "--type", "process"],
        cwd=PROJECT_ROOT,
        env=clean_environment()
        | place.environment
        | {
            "PYTHONPATH": str(PROJECT_ROOT),
            "PREFECT_WORKER_QUERY_SECONDS": "0.5",
            "OUTPUT_DIR": str(place.folder / "output"),
            "INGESTION_BATCH_SIZE": "1000",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        now = {"scheduled_time": datetime.now(UTC).isoformat()}
        run = api.post(
            f"/deployments/{deployment}/create_flow_run",
            json={
                "parameters": {"movie_ids": list(range(1, MOVIES + 1))},
                "state": {"type": "SCHEDULED", "state_details": now},
            },
        ).json()["id"]
        await_requests(sandbox, 60, worker)
        api.post(f"/flow_runs/{run}/set_state", json={"state": {"type": "CANCELLING", "name": "Cancelling"}})
        # The process itself reports a crash first; whoever cancelled it has the last word.
        while (state := api.get(f"/flow_runs/{run}").json()["state"]["type"]) != "CANCELLED":
            assert state in ("CANCELLING", "CRASHED") and worker.poll() is None
    finally:
        worker.terminate()
        worker.wait()

    fetched = place.movie_ids()
    assert MOVIES > len(fetched) == sandbox.stats()["requests"] >= 60, "what was asked for is kept"

    place.succeed(
        "--stage", "ingest", "--movie-ids", ",".join(map(str, range(1, MOVIES + 1))),
        INGESTION_REQUESTS_PER_SECOND="2000",
    )  # fmt: skip
    assert place.movie_ids() == list(range(1, MOVIES + 1))
    assert sandbox.stats()["requests"] == MOVIES
