"""One sandbox for all tests, a client that finds it without faults, and real payloads to compare with."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest

from movies.sandbox import Sandbox

TODAY = date(2026, 11, 20)
DEADLINE_SECONDS = 10


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(today=TODAY, synthetic=30_000, payload_bytes=4_096) as sandbox:
        yield sandbox


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[httpx.Client]:
    sandbox.set_faults()
    with connect(sandbox) as client:
        yield client


def connect(sandbox: Sandbox) -> httpx.Client:
    return httpx.Client(
        base_url=sandbox.base_url, headers={"Authorization": f"Bearer {sandbox.key}"}, trust_env=False
    )


@pytest.fixture(scope="session")
def real_payload_file(shared_data: Path) -> Path:
    return shared_data / "data" / "tmdb_18_payloads.ndjson.gz"


@pytest.fixture(scope="session")
def real_payloads(real_payload_file: Path) -> list[bytes]:
    with gzip.open(real_payload_file) as lines:
        return [line.strip() for line in lines]


@pytest.fixture(scope="session")
def wait_until() -> Callable[[Callable[[], bool]], None]:
    """Wait for what another process does, with a deadline."""

    def wait(happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not happened():
            assert time.monotonic() < deadline, "It has not happened in time."
            time.sleep(0.02)

    return wait
