"""A Prefect server of these tests, with automations evaluated every second."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from prefect.client.orchestration import PrefectClient

from tests.prefect_servers import prefect_server


@pytest.fixture(scope="session")
def prefect_home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("prefect")


@pytest.fixture(scope="session")
def prefect_api(tmp_path_factory, prefect_home) -> Iterator[str]:
    often = {"PREFECT_SERVER_EVENTS_PROACTIVE_GRANULARITY": "PT1S"}
    with prefect_server(tmp_path_factory, prefect_home, **often) as api:
        yield api


@pytest.fixture
async def client(prefect_api) -> AsyncIterator[PrefectClient]:
    async with PrefectClient(prefect_api) as client:
        yield client
