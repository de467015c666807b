"""From version 0.1.0 to this one: its lake and its Prefect database, under today's service."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import docker
import httpx
import pytest
import yaml
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.events.schemas.automations import AutomationCore

from deployments.work_pool import BUILD_STEP
from tests.docker.conftest import PROJECT_ROOT, RUN_SECONDS
from tests.docker.test_compose import (
    POSTGRES,
    Compose,
    assert_default_movies,
    operate,
    operated,
    prepare_compose,
)
from tests.places import clean_environment

pytestmark = [pytest.mark.docker, pytest.mark.long]

NAME = "tmdb-movies-upgrade-test"
# As of the commit 6b098fb.
OLD = Path(__file__).parent / "version_0_1_0"
OLD_PASSWORD = "prefect"


@pytest.fixture
def compose(docker_client, images) -> Iterator[Compose]:
    with prepare_compose(docker_client, NAME) as compose:
        yield compose


def test_an_upgrade_goes_on_with_lake_database_schedules_and_pool(
    compose: Compose, shared_data: Path
) -> None:
    fill_lake(compose.client, shared_data / "data" / "lake_0.1.0.tar.gz")
    with service_of_0_1_0(compose) as api:
        asyncio.run(set_up_as_0_1_0(api))
        deploy_as_0_1_0(api)
        operate(api)
        as_set = operated(api)

    compose.up(TMDB_API_KEY="a-key-of-the-operators", TMDB_BASE_URL="http://nobody.invalid/3")

    assert operated(compose.api) == as_set
    assert as_set[2:] == (True, {"source": "ids"})
    pool = httpx.get(f"{compose.api}/work_pools/movies-docker").raise_for_status().json()
    variables = pool["base_job_template"]["variables"]
    assert variables["properties"]["mem_limit"]["default"] == "3g"
    assert variables["properties"]["stream_output"]["default"] is False
    assert variables["properties"]["volumes"]["items"]["enum"] == [f"{NAME}-data:/data"]
    filed = yaml.safe_load((PROJECT_ROOT / "deployments" / "automations.yaml").read_text())["automations"]
    automations = httpx.post(f"{compose.api}/automations/filter", json={}).raise_for_status().json()
    own = {one["name"]: one["enabled"] for one in automations if one["tags"]}
    assert own == {one["name"]: False for one in filed}
    # Nothing is fetched again: there is nobody who would answer.
    assert compose.deployment_run("movie-pipeline/docker") == 0
    assert_default_movies(compose.client, f"{NAME}-data", "--lake-root", "/data/lake")


def fill_lake(client: docker.DockerClient, archive: Path) -> None:
    """Put the lake where the volume of version 0.1.0 had it, as its user."""
    container = client.containers.create(
        "tmdb-movies-flow", ["chown", "-R", "1000:1000", "/data"], user="root", volumes=[f"{NAME}-data:/data"]
    )
    container.put_archive("/data", gzip.decompress(archive.read_bytes()))
    container.start()
    assert container.wait()["StatusCode"] == 0
    container.remove()


@contextmanager
def service_of_0_1_0(compose: Compose) -> Iterator[str]:
    """Postgres with the password that it had then, and Prefect's server, until the block ends."""
    client, network = compose.client, compose.client.networks.create(f"{NAME}-old")
    database = client.containers.run(
        POSTGRES,
        name=f"{NAME}-old-postgres",
        hostname="postgres",
        network=network.name,
        environment={
            "POSTGRES_USER": "prefect",
            "POSTGRES_DB": "prefect",
            "POSTGRES_PASSWORD": OLD_PASSWORD,
        },
        volumes=[f"{NAME}-postgres:/var/lib/postgresql/data"],
        detach=True,
    )
    server = client.containers.run(
        "tmdb-movies-flow",
        ["prefect", "server", "start", "--host", "0.0.0.0"],
        network=network.name,
        environment={
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": (
                f"postgresql+asyncpg://prefect:{OLD_PASSWORD}@{NAME}-old-postgres:5432/prefect"
            )
        },
        ports={"4200/tcp": ("127.0.0.1", None)},
        restart_policy={"Name": "on-failure"},
        detach=True,
    )
    try:
        yield await_api(server)
    finally:
        for container in (server, database):
            container.stop(timeout=20)
            container.remove()
        network.remove()


def await_api(server: Any) -> str:
    deadline = time.monotonic() + RUN_SECONDS
    while True:
        server.reload()
        if ports := server.ports.get("4200/tcp"):
            api = f"http://127.0.0.1:{ports[0]['HostPort']}/api"
            try:
                if httpx.get(f"{api}/health").status_code == 200:
                    return api
            except httpx.HTTPError:
                pass
        assert time.monotonic() < deadline, server.logs().decode()
        Event().wait(0.2)


async def set_up_as_0_1_0(api: str) -> None:
    """Its work pool, with a default of the operator's, and its automations, switched off."""
    template = json.loads((OLD / "work_pool.json").read_text())
    template["variables"]["properties"]["mem_limit"]["default"] = "3g"
    async with PrefectClient(api) as client:
        await client.create_work_pool(
            WorkPoolCreate(name="movies-docker", type="docker", base_job_template=template)
        )
        for automation in yaml.safe_load((OLD / "automations.yaml").read_text())["automations"]:
            await client.create_automation(AutomationCore.model_validate(automation | {"enabled": False}))


def deploy_as_0_1_0(api: str) -> None:
    # Today's code deploys it, where the module of its build step has moved.
    text = (OLD / "prefect.yaml").read_text().replace("flows.job_settings", "deployments.job_settings")
    project = yaml.safe_load(text)
    # Its images are not built: none of its jobs is run.
    for one in project["deployments"]:
        one["build"] = [step for step in one["build"] if BUILD_STEP not in step]
        one["work_pool"]["job_variables"] = {"image": "tmdb-movies-flow:latest"}
    file = PROJECT_ROOT / f".prefect_0_1_0_{os.getpid()}.yaml"
    file.write_text(yaml.safe_dump(project))
    try:
        done = subprocess.run(
            [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(file)],
            cwd=PROJECT_ROOT,
            env=clean_environment() | {"PREFECT_API_URL": api},
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
        )
    finally:
        file.unlink()
    assert done.returncode == 0, done.stdout + done.stderr
