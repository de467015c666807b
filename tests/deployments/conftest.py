"""A Prefect server of these tests, with automations evaluated every second."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from prefect.client.orchestration import PrefectClient

from flows.local_api import API_FACTORY, SERVER_ENVIRONMENT
from loopback import LoopbackServer


@pytest.fixture(scope="session")
def prefect_home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("prefect")


@pytest.fixture(scope="session")
def prefect_api(prefect_home) -> Iterator[str]:
    environment = SERVER_ENVIRONMENT | {
        "PREFECT_HOME": str(prefect_home),
        "PREFECT_SERVER_EVENTS_PROACTIVE_GRANULARITY": "PT1S",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PYTHONDONTWRITEBYTECODE": "",
    }
    with LoopbackServer.start(API_FACTORY, env=environment, log=prefect_home / "server.log") as server:
        yield f"{server.url}/api"


@pytest.fixture
async def client(prefect_api) -> AsyncIterator[PrefectClient]:
    async with PrefectClient(prefect_api) as client:
        yield client
