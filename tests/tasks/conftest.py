"""A Prefect server of these tests, with leases in files and ended ones looked for every second."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from flows.local_api import API_FACTORY, START_SECONDS
from loopback import LoopbackServer


@pytest.fixture(scope="session")
def prefect_home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("prefect")


@pytest.fixture(scope="session")
def prefect_api(prefect_home) -> Iterator[str]:
    # A temporary server, as the other tests have it, does not look for ended leases.
    environment = {
        "PREFECT_UI_ENABLED": "0",
        "PREFECT_HOME": str(prefect_home),
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT_SERVER_SERVICES_REPOSSESSOR_LOOP_SECONDS": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PYTHONDONTWRITEBYTECODE": "",
    }
    with LoopbackServer.start(API_FACTORY, env=environment, log=prefect_home / "server.log") as server:
        api = f"{server.url}/api"
        # The connection waits until the server has started.
        httpx.get(f"{api}/health", timeout=START_SECONDS, trust_env=False).raise_for_status()
        yield api
