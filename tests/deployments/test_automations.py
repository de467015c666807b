import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any
from uuid import UUID

import pytest
import yaml
from prefect import flow
from prefect.client.orchestration import PrefectClient
from prefect.events.schemas.automations import AutomationCore
from prefect.states import Completed, Failed, Pending, Running, State

from cli.setup import DEPLOYMENTS
from tests.http_servers import Answer, http_server
from tests.places import clean_environment

OLD_LAKE = "Movie lake is older than it should be"
FILE = yaml.safe_load((DEPLOYMENTS / "automations.yaml").read_text())
FILED: dict[str, dict[str, Any]] = {automation["name"]: automation for automation in FILE["automations"]}
RETIRED = set(FILE["retired"])
SHORTEST_WAIT = 10  # seconds; Prefect lets no proactive trigger wait less
DEADLINE_SECONDS = 60.0
SETUP = "from cli.app import main; main(['setup'])"


@pytest.fixture(scope="module")
def messages() -> Iterator[tuple[str, list[Any]]]:
    """A webhook's URL, and what came there."""
    received: list[Any] = []

    def receive(request: BaseHTTPRequestHandler) -> Answer:
        received.append(json.loads(request.rfile.read(int(request.headers["Content-Length"]))))
        return 204, {}, b""

    with http_server(receive) as url:
        yield f"{url}/hook", received


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


def test_no_automation_sets_a_state_which_it_cannot_ask_for_first():
    actions = {action["type"] for automation in FILED.values() for action in automation["actions"]}

    assert actions == {"do-nothing"}
    assert not RETIRED & set(FILED)
