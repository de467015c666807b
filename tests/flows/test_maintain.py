"""The flows that deployments run by themselves: `maintain-lake`, and `ingest-movies` without a pipeline."""

from __future__ import annotations

import json
import subprocess
from array import array
from time import monotonic
from typing import Any
from uuid import uuid4

import httpx
import pytest
from deltalake import DeltaTable

from movies.lake.all_tables import TABLES
from movies.lake.delta import open_table
from movies.lake.inventory import read_inventory
from movies.lake.tables import FETCH_FAILURES, QUARANTINE, RAW_MOVIES, SILVER_MOVIES
from movies.lake.work_list import owed_movies
from tests.flows.prefect_runs import Api
from tests.flows.test_sources import fill
from tests.places import PROJECT_ROOT, Place

# Seven months.
OLD_DAYS = 210
QUICK = {"INGESTION_CONCURRENCY": "20", "INGESTION_REQUESTS_PER_SECOND": "1000", "INGESTION_MAX_RETRIES": "1"}


def run_flow(place: Place, statement: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a flow in a process of its own, as a worker does."""
    imports = (
        "import asyncio\nfrom flows.ingest import ingest_movies\nfrom flows.maintain import maintain_lake\n"
    )
    given = QUICK | environment | {"PYTHONPATH": str(PROJECT_ROOT)}
    return place.python("-c", f"{imports}asyncio.run({statement})", **given)


def await_landed(api: str, place: Place) -> list[dict[str, Any]]:
    """What runs have told of a lake's raw movies, newest first, once there is any of it."""
    query = {"filter": {"event": {"name": ["tmdb-movies.raw.landed"]}}}
    deadline = monotonic() + 60
    while True:
        assert monotonic() < deadline, "no run has told of it"
        found = httpx.post(f"{api}/events/filter", json=query, trust_env=False).json()["events"]
        if told := [event for event in found if event["resource"]["prefect.resource.name"] == place.lake]:
            return told


def versions(place: Place) -> dict[str, int | None]:
    found = {table.name: open_table(table, place.lake) for table in TABLES}
    return {name: None if table is None else table.version() for name, table in found.items()}


def shown_upkeep(api: str) -> dict[str, dict[str, Any]]:
    """The rows of the last run's artifact by their tables."""
    query = {"artifacts": {"key": {"any_": ["upkeep"]}}}
    [shown] = httpx.post(f"{api}/artifacts/latest/filter", json=query, trust_env=False).json()
    return {row["table"]: row for row in json.loads(shown["data"])}


@pytest.mark.slow
def test_movies_older_than_six_months_are_fetched_again_the_old_dropped_and_tables_packed(
    served, prefect_api
):
    place, sandbox = served(synthetic=60)
    assert run_flow(place, "ingest_movies(list(range(1, 41)))", INGESTION_BATCH_SIZE="10").returncode == 0
    fill(place, 41, 42, 43, days_ago=OLD_DAYS)
    asked = sandbox.stats()["requests"]
    api = Api(prefect_api)
    old, new = (api.add_run("ingest-movies", days, "maintain-progress") for days in (91, 1))

    done = run_flow(place, "maintain_lake()")

    assert done.returncode == 0, done.stderr
    assert api.left_of(old, new) == {new: (1, 2)}
    assert sandbox.stats()["requests"] == asked + 3
    assert place.movie_ids() == list(range(1, 44))
    assert "{}" not in place.rows(RAW_MOVIES, "payload")
    assert len(DeltaTable(RAW_MOVIES.path(place.lake)).file_uris()) == 1
    dropped = {name: row["rows_dropped"] for name, row in shown_upkeep(prefect_api).items()}
    assert dropped == {"raw/movies": 3, "raw/fetch_failures": 0}

    before = versions(place)
    assert run_flow(place, "maintain_lake()").returncode == 0
    assert sandbox.stats()["requests"] == asked + 3
    assert versions(place) == before


@pytest.mark.slow
def test_old_payloads_that_could_not_be_refreshed_are_dropped_and_their_movies_stay_owed(served):
    place, _ = served(synthetic=3, faults={"by_movie": {2: "missing_credits"}})
    fill(place, 1, 2, 9, days_ago=OLD_DAYS)

    done = run_flow(place, "maintain_lake()")

    assert done.returncode == 1
    assert "IncompleteIngestionError: 1 of 3 movies could not be fetched" in done.stderr
    assert place.movie_ids() == [1]
    assert place.rows(FETCH_FAILURES, "movie_id", "reason") == [(2, "invalid_payload"), (9, "not_found")]
    assert owed_movies(read_inventory(place.lake)) == array("q", [2])

    before = versions(place)
    assert run_flow(place, "maintain_lake()").returncode == 0
    assert versions(place) == before


@pytest.mark.slow
def test_without_a_highest_age_nothing_is_fetched_again_and_nothing_dropped(served):
    place, sandbox = served(synthetic=3)
    fill(place, 1, 2, days_ago=OLD_DAYS)

    assert run_flow(place, "maintain_lake(max_age_days=None)").returncode == 0

    assert place.movie_ids() == [1, 2]
    assert sandbox.stats()["requests"] == 0


@pytest.mark.slow
def test_silver_and_quarantine_follow_once_payloads_are_dropped(served):
    place, _ = served(synthetic=3)
    place.succeed("--movie-ids", "1", "--stage", "ingest")
    fill(place, 9, days_ago=OLD_DAYS)
    place.succeed("--stage", "transform")
    assert place.rows(QUARANTINE, "movie_id") == [9]

    assert run_flow(place, "maintain_lake()").returncode == 0
    place.succeed("--stage", "transform")

    assert place.rows(QUARANTINE, "movie_id") == []
    assert place.rows(SILVER_MOVIES, "id") == [1]


@pytest.mark.slow
def test_a_deployments_run_tells_when_it_has_dropped_payloads_and_only_then(served, prefect_api):
    place, _ = served(synthetic=3)
    assert run_flow(place, "ingest_movies([1, 2])").returncode == 0
    fill(place, 1, 2, days_ago=OLD_DAYS)
    deployed = {"PREFECT__FLOW_RUN_ID": str(uuid4()), "PREFECT__RUNTIME__DEPLOYMENT__ID": str(uuid4())}

    for days in (365, 180):
        done = run_flow(place, f"maintain_lake(max_age_days={days})", **deployed)
        assert done.returncode == 0, done.stderr

    told = await_landed(prefect_api, place)
    assert [event["payload"] for event in told] == [{"fetched": 0, "commits": 1, "dropped": 2}]
    assert told[0]["resource"]["tmdb-movies.run-by"] == "maintain-lake"
    log = (place.folder / "output" / "logs" / "project.log").read_text()
    assert "0 movies fetched again, 2 old payloads dropped" in log


@pytest.mark.slow
def test_a_deployments_run_tells_of_movies_that_are_gone_and_not_of_ids_that_never_were(served, prefect_api):
    place, _ = served(synthetic=3)
    assert run_flow(place, "ingest_movies([1, 2, 3])").returncode == 0
    served(synthetic=2)
    deployed = {"PREFECT__FLOW_RUN_ID": str(uuid4()), "PREFECT__RUNTIME__DEPLOYMENT__ID": str(uuid4())}

    for ids in ("[4, 5]", "[3], refresh=True"):
        done = run_flow(place, f"ingest_movies({ids})", **deployed)
        assert done.returncode == 0, done.stderr

    told = await_landed(prefect_api, place)
    assert [event["payload"] for event in told] == [{"fetched": 0, "commits": 0, "dropped": 0}]
    assert place.rows(FETCH_FAILURES, "movie_id") == [3, 4, 5]


@pytest.mark.slow
def test_upkeep_is_done_though_the_refresh_cannot_be_and_the_run_fails(served):
    place, sandbox = served(synthetic=60)
    fill(place, 1, 2, days_ago=OLD_DAYS)
    fill(place, 3, days_ago=OLD_DAYS)
    sandbox.stop()

    done = run_flow(place, "maintain_lake()")

    assert done.returncode == 1
    assert "UnreachableError" in done.stderr
    assert place.movie_ids() == [1, 2, 3]
    assert len(DeltaTable(RAW_MOVIES.path(place.lake)).file_uris()) == 1


@pytest.mark.slow
def test_maintenance_leaves_everything_unchanged_for_the_pipeline(filled):
    place, _ = filled

    assert run_flow(place, "maintain_lake()").returncode == 0

    assert "Unchanged" in place.succeed(SPARK_MASTER="sc://127.0.0.1:9")


def test_an_empty_lake_is_maintained_at_once(served):
    place, sandbox = served()

    done = run_flow(place, "maintain_lake()")

    assert done.returncode == 0, done.stderr
    assert sandbox.stats()["requests"] == 0


def test_an_ingestion_by_itself_fails_where_movies_are_owed(served):
    place, _ = served(synthetic=10, faults={"by_movie": {7: "missing_credits"}})

    done = run_flow(place, "ingest_movies([6, 7, 8])")

    assert done.returncode == 1
    assert "IncompleteIngestionError: 1 of 3 movies could not be fetched" in done.stderr
    assert place.movie_ids() == [6, 8]
    assert place.rows(FETCH_FAILURES, "movie_id", "reason") == [(7, "invalid_payload")]
