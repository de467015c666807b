import asyncio
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import yaml
from prefect import flow
from prefect.client.orchestration import PrefectClient
from prefect.events.schemas.automations import AutomationCore
from prefect.settings.models.flows import FlowsSettings
from prefect.states import Completed, Failed, Pending, Running, State

from flows.setup import DEPLOYMENTS
from tests.conftest import PROJECT_ROOT
from tests.flows.conftest import clean_environment

ZOMBIES, OLD_LAKE = "Crash movie runs that died", "Movie lake is older than it should be"
LEFT_BEHIND = "Crash movie runs whose container ended before them"
FILED: dict[str, dict[str, Any]] = {
    automation["name"]: automation
    for automation in yaml.safe_load((DEPLOYMENTS / "automations.yaml").read_text())["automations"]
}
SHORTEST_WAIT = 10  # seconds; Prefect lets no proactive trigger wait less
DEADLINE_SECONDS = 60.0
SETUP = "from flows.cli import main; main(['setup'])"
RUN_FOR_EVER = """
import time
from prefect import flow

@flow(name="ingest-movies")
def ingest_movies():
    time.sleep(600)

ingest_movies()
"""


@pytest.fixture(scope="module")
def messages() -> Iterator[tuple[str, list[Any]]]:
    """A webhook's URL, and what came there."""
    received: list[Any] = []

    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Webhook) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hook", received
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def environment(prefect_api, prefect_home, messages) -> dict[str, str]:
    """That of processes which use the server, once `movies setup` has been there."""
    environment = clean_environment() | {
        "PREFECT_API_URL": prefect_api,
        "PREFECT_HOME": str(prefect_home),
        "NOTIFICATION_URL": messages[0],
    }
    command = [sys.executable, "-c", SETUP]
    subprocess.run(command, cwd=prefect_home, env=environment, check=True, timeout=DEADLINE_SECONDS)
    return environment


async def add_impatient_copy(client: PrefectClient, name: str, flow_name: str | None = None) -> None:
    """Add an automation like one that is there, which waits as little as possible, perhaps for one flow."""
    [made] = await client.read_automations_by_name(name)
    copy = made.model_dump(mode="json", exclude={"id"})
    copy["name"] = f"{name}: {flow_name}"
    copy["trigger"]["within"] = SHORTEST_WAIT
    for action in copy["actions"]:
        action.update(subject=copy["name"])
    if flow_name:
        copy["trigger"]["match_related"][0]["prefect.resource.name"] = [flow_name]
    await client.create_automation(AutomationCore.model_validate(copy))


async def add_run(client: PrefectClient, flow_name: str, *states: State, tags: tuple[str, ...] = ()) -> UUID:
    run = await client.create_flow_run(flow(lambda: None, name=flow_name), tags=tags)
    for state in states:
        await client.set_flow_run_state(run.id, state, force=True)
    return run.id


async def beat(api: str, run_id: UUID, flow_name: str) -> None:
    """Send a heartbeat as a flow's run does."""
    event = {
        "id": str(uuid4()),
        "occurred": datetime.now(UTC).isoformat(),
        "event": "prefect.flow-run.heartbeat",
        "resource": {"prefect.resource.id": f"prefect.flow-run.{run_id}"},
        "related": [
            {
                "prefect.resource.id": f"prefect.flow.{uuid4()}",
                "prefect.resource.role": "flow",
                "prefect.resource.name": flow_name,
            }
        ],
    }
    async with httpx.AsyncClient(trust_env=False) as http:
        (await http.post(f"{api}/events", json=[event])).raise_for_status()


async def end_container(api: str, run_id: UUID, flow_name: str, status: int = 0) -> None:
    """Tell that a run's container has ended, as a worker does."""
    event = {
        "id": str(uuid4()),
        "occurred": datetime.now(UTC).isoformat(),
        "event": "prefect.worker.executed-flow-run",
        "resource": {"prefect.resource.id": "prefect.worker.docker.dockerworker"},
        "related": [
            {
                "prefect.resource.id": f"prefect.flow.{uuid4()}",
                "prefect.resource.role": "flow",
                "prefect.resource.name": flow_name,
            },
            {
                "prefect.resource.id": f"prefect.flow-run.{run_id}",
                "prefect.resource.role": "flow-run",
                "prefect.infrastructure.status-code": str(status),
            },
        ],
    }
    async with httpx.AsyncClient(trust_env=False) as http:
        (await http.post(f"{api}/events", json=[event])).raise_for_status()


async def runs_that_beat(api: str) -> set[UUID]:
    query = {"filter": {"event": {"name": ["prefect.flow-run.heartbeat"]}}}
    async with httpx.AsyncClient(trust_env=False) as http:
        found = (await http.post(f"{api}/events/filter", json=query)).json()["events"]
    return {UUID(event["resource"]["prefect.resource.id"].rpartition(".")[2]) for event in found}


async def state_of(client: PrefectClient, run_id: UUID) -> State:
    state = (await client.read_flow_run(run_id)).state
    assert state is not None
    return state


async def test_a_run_that_died_is_crashed_and_one_that_beats_goes_on(client, environment, prefect_api):
    await add_impatient_copy(client, ZOMBIES)
    alive = await add_run(client, "movie-pipeline", Running())
    await beat(prefect_api, alive, "movie-pipeline")
    process = subprocess.Popen([sys.executable, "-c", RUN_FOR_EVER], env=environment)
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not (others := await runs_that_beat(prefect_api) - {alive}):
                await beat(prefect_api, alive, "movie-pipeline")
                await asyncio.sleep(0.2)
    finally:
        process.kill()
        process.wait()
    [died] = others
    assert (await state_of(client, died)).is_running()

    async with asyncio.timeout(DEADLINE_SECONDS):
        while (state := await state_of(client, died)).is_running():
            await beat(prefect_api, alive, "movie-pipeline")
            await asyncio.sleep(0.5)

    assert (state.name, state.message) == ("Crashed", FILED[ZOMBIES]["actions"][0]["message"])
    assert (await state_of(client, alive)).is_running()
    # A run that was only cut off has the last word.
    await client.set_flow_run_state(died, Completed())
    assert (await state_of(client, died)).is_completed()


async def test_a_run_that_is_left_when_its_container_ends_is_crashed_and_one_that_has_ended_stays(
    client, environment, prefect_api
):
    states = {
        "completed": (Pending(), Running(), Completed()),
        "killed at its start": (Pending(name="Submitting"),),
        "killed later": (Pending(), Running()),
    }
    runs = {name: await add_run(client, "ingest-movies", *path) for name, path in states.items()}
    others = await add_run(client, "somebody-elses", Running())

    await end_container(prefect_api, others, "somebody-elses")
    for run_id in runs.values():
        await end_container(prefect_api, run_id, "ingest-movies")
    async with asyncio.timeout(DEADLINE_SECONDS):
        for run_id in runs.values():
            while not (await state_of(client, run_id)).is_final():
                await asyncio.sleep(0.2)

    message = FILED[LEFT_BEHIND]["actions"][0]["message"]
    found = {name: await state_of(client, run_id) for name, run_id in runs.items()}
    assert {name: (state.name, state.message) for name, state in found.items()} == {
        "completed": ("Completed", None),
        "killed at its start": ("Crashed", message),
        "killed later": ("Crashed", message),
    }
    assert (await state_of(client, others)).is_running()


@pytest.mark.slow
async def test_an_old_lake_is_told_of_only_where_runs_are_scheduled(client, environment, messages):
    scheduled = ("auto-scheduled",)
    for flow_name in ("by-hand", "once-completed", "never-completed"):
        await add_impatient_copy(client, OLD_LAKE, flow_name)

    await add_run(client, "by-hand", Pending(), Running(), Completed())
    await add_run(client, "once-completed", Pending(), Running(), Completed(), tags=scheduled)
    await add_run(client, "never-completed", Pending(), Running(), Failed(), tags=scheduled)
    async with asyncio.timeout(DEADLINE_SECONDS):
        while len(messages[1]) < 2:
            await asyncio.sleep(0.2)

    assert sorted(message["text"] for message in messages[1]) == [
        f"{OLD_LAKE}: never-completed\n{FILED[OLD_LAKE]['description']}",
        f"{OLD_LAKE}: once-completed\n{FILED[OLD_LAKE]['description']}",
    ]


def test_every_flow_of_the_project_is_watched():
    names = {
        name
        for path in (PROJECT_ROOT / "flows").glob("*.py")
        for name in re.findall(r'^@flow\(.*?name="([^"]+)"', path.read_text(), re.MULTILINE | re.DOTALL)
    }

    watched = FILED[ZOMBIES]["trigger"]["match_related"]["prefect.resource.name"]
    assert {"movie-pipeline", "ingest-movies", "refresh-analytics"} <= names <= set(watched)
    assert FILED[LEFT_BEHIND]["trigger"]["match_related"][0]["prefect.resource.name"] == watched


def test_a_run_with_prefects_own_frequency_beats_in_time():
    frequency = FlowsSettings.model_fields["heartbeat_frequency"].default

    assert frequency < FILED[ZOMBIES]["trigger"]["within"]
