"""Prefect servers for tests, each with a home of its own."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from pathlib import Path

import httpx
import pytest
from filelock import FileLock
from prefect.client.orchestration import PrefectClient
from prefect.settings import PREFECT_API_URL, temporary_settings

from cli.temporary_server import API_FACTORY, SERVER_ENVIRONMENT, START_SECONDS
from movies.loopback import LoopbackServer

# Prefect's name for it in its home.
DATABASE = "prefect.db"


@contextmanager
def prefect_server(folders: pytest.TempPathFactory, home: Path, **settings: str) -> Iterator[str]:
    """Start a Prefect server, give its API's URL once it answers, and end it with the block.

    A new database takes its migrations, most of a server's start: the others of a test session begin with a
    copy of the first one's.
    """
    environment = SERVER_ENVIRONMENT | {
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PYTHONDONTWRITEBYTECODE": "",
    }
    migrated = _session_folder(folders) / DATABASE
    with ExitStack() as stack:
        with FileLock(migrated.with_suffix(".lock")):
            if migrated.exists():
                shutil.copyfile(migrated, home / DATABASE)
            api = stack.enter_context(started(environment | settings, home))
            if not migrated.exists():
                _copy_database(home / DATABASE, migrated)
        yield api


@contextmanager
def started(environment: dict[str, str], home: Path) -> Iterator[str]:
    """Start a server with an environment, and give its API's URL once it answers."""
    with LoopbackServer.start(API_FACTORY, env=environment, log=home / "server.log") as server:
        api = f"{server.url}/api"
        # The connection waits until the server has started.
        httpx.get(f"{api}/health", timeout=START_SECONDS, trust_env=False).raise_for_status()
        yield api


@asynccontextmanager
async def cleared(api: str) -> AsyncIterator[PrefectClient]:
    """Give a client of a server where nothing is set up or deployed, and leave nothing to later tests."""
    with temporary_settings({PREFECT_API_URL: api}):
        async with PrefectClient(api) as client:
            await _clear(client)
            try:
                yield client
            finally:
                await _clear(client)


async def _clear(client: PrefectClient) -> None:
    for deployment in await client.read_deployments():
        await client.delete_deployment(deployment.id)
    for pool in await client.read_work_pools():
        await client.delete_work_pool(pool.name)
    for automation in await client.read_automations():
        await client.delete_automation(automation.id)
    for block in await client.read_block_documents():
        await client.delete_block_document(block.id)


def _session_folder(folders: pytest.TempPathFactory) -> Path:
    """The folder that all processes of a test session have."""
    own = folders.getbasetemp()
    return own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own


def _copy_database(path: Path, copy: Path) -> None:
    # Not the file: what was written last may be in another one beside it.
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
