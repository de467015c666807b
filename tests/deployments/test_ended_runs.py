"""The states of runs whose process is gone, on a Prefect server, without containers."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx
import pytest
from prefect import flow, task
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, State
from prefect.settings.models.flows import FlowsSettings
from prefect.states import (
    Cancelled,
    Cancelling,
    Completed,
    Crashed,
    Failed,
    Paused,
    Pending,
    Running,
    Scheduled,
)

from deployments.ended_runs import SILENCE, SILENT, end_parts, end_run, end_silent_runs
from tests.places import clean_environment

DEADLINE_SECONDS = 60.0
HEARTBEAT = "prefect.flow-run.heartbeat"
RUN_FOR_EVER = """
import time
from prefect import flow

@flow(name="ingest-movies")
def ingest_movies():
    time.sleep(600)

ingest_movies()
"""


@flow(name="ingest-movies")
def ingest_movies() -> None:
    """A flow to make runs of."""


@task
def fetch() -> None:
    """A task to make runs of."""


async def add_run(client: PrefectClient, *states: State, parent_task: UUID | None = None) -> FlowRun:
    run = await client.create_flow_run(ingest_movies, parent_task_run_id=parent_task)
    for state in states:
        await client.set_flow_run_state(run.id, state, force=True)
    return await client.read_flow_run(run.id)


async def add_task(client: PrefectClient, run: FlowRun, *states: State) -> UUID:
    made = await client.create_task_run(fetch, run.id, dynamic_key=str(uuid4()))
    for state in states:
        await client.set_task_run_state(made.id, state, force=True)
    return made.id


async def add_tree(client: PrefectClient, state: State, part_state: State) -> tuple[FlowRun, dict[str, UUID]]:
    """A run with a subflow run in its process and one of a deployment, and a task run of each kind."""
    run = await add_run(client, state)
    parent = await add_task(client, run, Running())
    part = await add_run(client, part_state, parent_task=parent)
    deployment = await client.create_deployment(run.flow_id, f"elsewhere-{uuid4()}")
    elsewhere = await client.create_flow_run_from_deployment(deployment, parent_task_run_id=parent)
    await client.set_flow_run_state(elsewhere.id, Running(), force=True)
    tasks = {
        "open task": await add_task(client, run, Running()),
        "done task": await add_task(client, run, Running(), Completed()),
        "open task of the part": await add_task(client, part, Running()),
        "done task of the part": await add_task(client, part, Running(), Completed()),
    }
    return run, {"run": run.id, "part": part.id, "elsewhere": elsewhere.id, **tasks}


async def states_of(client: PrefectClient, ids: dict[str, UUID]) -> dict[str, str]:
    async def name(what: str, run_id: UUID) -> str:
        read = client.read_task_run if "task" in what else client.read_flow_run
        state = (await read(run_id)).state
        return state.name if state else "none"

    return {what: await name(what, run_id) for what, run_id in ids.items()}


async def test_what_ran_in_a_dead_process_is_crashed_with_the_run_and_nothing_else(client):
    run, ids = await add_tree(client, Running(), Running())

    assert await end_run(client, run, "Its container ended.")

    assert await states_of(client, ids) == {
        "run": "Crashed",
        "part": "Crashed",
        "elsewhere": "Running",
        "open task": "Crashed",
        "done task": "Completed",
        "open task of the part": "Crashed",
        "done task of the part": "Completed",
    }
    messages = {(await client.read_flow_run(ids[what])).state.message for what in ("run", "part")}
    assert messages == {"Its container ended."}


async def test_what_a_cancel_cut_off_is_cancelled_although_it_says_that_it_crashed(client):
    expected = {
        "run": "Cancelled",
        "part": "Cancelled",
        "elsewhere": "Running",
        "open task": "Cancelled",
        "done task": "Completed",
        "open task of the part": "Cancelled",
        "done task of the part": "Completed",
    }
    for state in (Cancelled(), Cancelling()):
        run, ids = await add_tree(client, state, Crashed())

        assert not await end_run(client, run, "Its container ended.")

        assert await states_of(client, ids) == expected


async def test_what_a_run_that_ended_by_itself_left_open_waits_until_prefect_has_recorded_it(client):
    run = await add_run(client, Running(), Completed())
    ids = {"run": run.id, "task": await add_task(client, run, Running())}

    assert not await end_run(client, run, "Its container ended.")
    assert await states_of(client, ids) == {"run": "Completed", "task": "Running"}

    await end_parts(client, run.id, "Its container ended.")
    assert await states_of(client, ids) == {"run": "Completed", "task": "Crashed"}


async def test_a_run_that_has_ended_or_goes_on_elsewhere_stays_as_it_is(client):
    states = {
        "Completed": (Running(), Completed(message="done")),
        "Crashed": (Running(), Crashed(message="why")),
        "Suspended": (Running(), Paused(name="Suspended", message="later")),
        "Scheduled": (Running(), Failed(), Scheduled(message="again")),
    }
    runs = {name: await add_run(client, *path) for name, path in states.items()}

    for run in runs.values():
        assert not await end_run(client, run, "Its container ended.")

    found = {name: (await client.read_flow_run(run.id)).state for name, run in runs.items()}
    assert {name: (state.name, state.message) for name, state in found.items()} == {
        "Completed": ("Completed", "done"),
        "Crashed": ("Crashed", "why"),
        "Suspended": ("Suspended", "later"),
        "Scheduled": ("Scheduled", "again"),
    }


async def test_a_run_killed_between_two_tries_in_its_process_is_crashed(client):
    run = await client.create_flow_run(ingest_movies.with_options(retries=1, retry_delay_seconds=600))
    for state in (Running(), Failed()):
        await client.set_flow_run_state(run.id, state)
    run = await client.read_flow_run(run.id)
    assert run.state.name == "AwaitingRetry"

    assert await end_run(client, run, "Its container ended.")

    assert (await client.read_flow_run(run.id)).state.name == "Crashed"


async def test_a_run_killed_before_its_start_and_one_whose_reason_is_known_better_are_crashed(client):
    for states in ((Pending(name="Submitting"),), (Running(), Crashed(message="a guess"))):
        run = await add_run(client, *states)

        assert await end_run(client, run, "Out of memory.", replace=True)

        state = (await client.read_flow_run(run.id)).state
        assert (state.name, state.message) == ("Crashed", "Out of memory.")


async def beat(api: str, run_id: UUID) -> None:
    """Send a heartbeat as a flow's run does."""
    event = {
        "id": str(uuid4()),
        "occurred": datetime.now(UTC).isoformat(),
        "event": HEARTBEAT,
        "resource": {"prefect.resource.id": f"prefect.flow-run.{run_id}"},
    }
    async with httpx.AsyncClient(trust_env=False) as http:
        (await http.post(f"{api}/events", json=[event])).raise_for_status()


async def heartbeats(api: str) -> list[UUID]:
    query = {"limit": 50, "filter": {"event": {"name": [HEARTBEAT]}}}
    async with httpx.AsyncClient(trust_env=False) as http:
        found = (await http.post(f"{api}/events/filter", json=query)).json()["events"]
    return [UUID(event["resource"]["prefect.resource.id"].rpartition(".")[2]) for event in found]


async def await_heartbeats(api: str, known: list[UUID]) -> list[UUID]:
    """The runs of heartbeats that have come since some were known."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while len(found := await heartbeats(api)) == len(known):
            await asyncio.sleep(0.1)
    return [run_id for run_id in found if run_id not in known]


@pytest.mark.slow
async def test_a_run_that_fell_silent_is_crashed_and_ones_that_beat_or_are_watched_or_ended_are_not(
    client, prefect_api, prefect_home
):
    alive, watched, never = [await add_run(client, Running()) for _ in range(3)]
    part = await add_run(client, Running(), parent_task=await add_task(client, watched, Running()))
    ended = await add_run(client, Running(), Completed())
    known: list[UUID] = []
    # As a short run's do, the last one's heartbeat comes after its end.
    for run in (alive, watched, part, ended):
        await beat(prefect_api, run.id)
        await await_heartbeats(prefect_api, known)
        known = await heartbeats(prefect_api)
    environment = clean_environment() | {"PREFECT_API_URL": prefect_api, "PREFECT_HOME": str(prefect_home)}
    process = subprocess.Popen([sys.executable, "-c", RUN_FOR_EVER], env=environment)
    try:
        [died] = await await_heartbeats(prefect_api, known)
    finally:
        process.kill()
        process.wait()
    since = datetime.now(UTC)
    known = await heartbeats(prefect_api)
    await beat(prefect_api, alive.id)
    await await_heartbeats(prefect_api, known)

    crashed = await end_silent_runs(client, {watched.id}, since)

    assert [run.id for run in crashed] == [died]
    found = {run_id: (await client.read_flow_run(run_id)).state for run_id in (died, alive.id, watched.id)}
    assert [state.name for state in found.values()] == ["Crashed", "Running", "Running"]
    assert found[died].message == SILENT
    assert (await client.read_flow_run(never.id)).state.is_running()
    assert (await client.read_flow_run(part.id)).state.is_running()
    assert (await client.read_flow_run(ended.id)).state.is_completed()
    # A run that was only cut off has the last word.
    await client.set_flow_run_state(died, Completed())
    assert (await client.read_flow_run(died)).state.is_completed()


def test_a_run_with_prefects_own_frequency_beats_in_time():
    assert FlowsSettings.model_fields["heartbeat_frequency"].default < SILENCE.total_seconds()
