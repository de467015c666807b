"""A Prefect server of these tests, with leases in files and ended ones looked for every second."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.prefect_servers import prefect_server


@pytest.fixture(scope="session")
def prefect_home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("prefect")


@pytest.fixture(scope="session")
def prefect_api(tmp_path_factory, prefect_home) -> Iterator[str]:
    settings = {
        # A temporary server, as the other tests have it, does not look for ended leases.
        "PREFECT__SERVER_EPHEMERAL": "",
        "PREFECT__SERVER_FINAL": "",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT_SERVER_SERVICES_REPOSSESSOR_LOOP_SECONDS": "1",
    }
    with prefect_server(tmp_path_factory, prefect_home, **settings) as api:
        yield api
