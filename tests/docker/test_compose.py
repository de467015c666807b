"""`docker compose up`: the whole service in one command, its data kept until asked otherwise."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import docker
import httpx
import pytest

from tests.docker.conftest import BUILD_SECONDS, PROJECT_ROOT, RUN_SECONDS
from tests.flows.conftest import clean_environment

pytestmark = pytest.mark.docker

NAME = "tmdb-movies-test"
COMPOSE = ["docker", "compose", "--file", "docker/compose.yaml"]
POSTGRES = "tmdb-movies-test-postgres"


@dataclass
class Compose:
    """The service as somebody at a terminal has it."""

    client: docker.DockerClient
    environment: dict[str, str]
    api: str

    def run(self, *arguments: str, **environment: str) -> None:
        """Run `docker compose …`."""
        done = subprocess.run(
            [*COMPOSE, *arguments],
            cwd=PROJECT_ROOT,
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=BUILD_SECONDS,
        )
        assert done.returncode == 0, done.stdout[-5000:]

    def up(self, **environment: str) -> None:
        # Not `--build`: compose has a cache of its own, and would make both images a second time.
        self.run("up", "--no-build", "--detach", "--wait", **environment)

    def deployment_run(self, deployment: str) -> int:
        command = [sys.executable, "-m", "prefect", "deployment", "run", deployment, "--watch"]
        done = subprocess.run(
            command,
            env=clean_environment() | {"PREFECT_API_URL": self.api},
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
        )
        sys.stdout.write(done.stdout)
        return done.returncode

    def flow_runs(self, flow: str) -> int:
        body = {"flows": {"name": {"any_": [flow]}}}
        return int(httpx.post(f"{self.api}/flow_runs/count", json=body).raise_for_status().json())

    def containers(self) -> list[Any]:
        return list(
            self.client.containers.list(all=True, filters={"label": f"com.docker.compose.project={NAME}"})
        )

    def volumes(self) -> list[str]:
        return sorted(volume.name for volume in self.client.volumes.list(filters={"name": NAME}))


@pytest.fixture(scope="module")
def compose(docker_client, images) -> Iterator[Compose]:
    if subprocess.run(["docker", "compose", "version"], capture_output=True).returncode != 0:
        reason = "docker has no compose plugin"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    folder = str(PROJECT_ROOT / "tests" / "docker")
    docker_client.images.build(path=folder, dockerfile="postgres.Dockerfile", tag=POSTGRES, rm=True)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listen = f"127.0.0.1:{listener.getsockname()[1]}"
    environment = clean_environment() | {
        "SERVICE_NAME": NAME,
        "PREFECT_LISTEN": listen,
        "PREFECT_UI_API_URL": f"http://{listen}/api",
        "POSTGRES_IMAGE": POSTGRES,
    }
    compose = Compose(docker_client, environment, f"http://{listen}/api")
    compose.up()
    try:
        yield compose
    finally:
        compose.run("down", "--volumes", "--timeout", "5")
    assert (compose.containers(), compose.volumes()) == ([], [])


def test_the_service_runs_the_pipeline_on_its_warm_spark_server_once(compose: Compose) -> None:
    assert compose.deployment_run("movie-pipeline/docker") == 0
    assert compose.deployment_run("movie-pipeline/docker") == 0

    assert compose.flow_runs("refresh-analytics") == 1
    status = compose.client.containers.run(
        "tmdb-movies-flow", ["movies", "status"], volumes=[f"{NAME}-data:/data"], remove=True
    ).decode()
    rows = dict(line.split()[:2] for line in status.splitlines()[2:])
    assert (rows["raw/movies"], rows["silver/movies"], rows["gold/overview"]) == ("18", "18", "1")


def test_settings_come_from_the_shell_and_from_a_file_where_one_is_named(compose: Compose, tmp_path) -> None:
    file = tmp_path / ".env"
    file.write_text("INGESTION_BATCH_SIZE=7\nLAKE_ROOT=s3://bucket/lake\nAWS_REGION=eu-north-1\n")
    environment = compose.environment | {"INGESTION_BATCH_SIZE": "8"}
    command = ["docker", "compose", "--env-file", str(file), *COMPOSE[2:], "config", "--format", "json"]

    done = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True)

    services = json.loads(done.stdout)["services"]
    set_up = {name: value for name, value in services["setup"]["environment"].items() if value is not None}
    assert set_up == {
        "AWS_REGION": "eu-north-1",
        "DATA_VOLUME": f"{NAME}-data",
        "INGESTION_BATCH_SIZE": "8",
        "JOB_NETWORK": NAME,
        "LAKE_ROOT": "s3://bucket/lake",
        "PREFECT_API_URL": "http://server:4200/api",
        "SPARK_MASTER": "sc://spark:15002",
    }
    assert services["spark"]["environment"]["AWS_REGION"] == "eu-north-1"


def test_the_user_interface_is_served_to_a_browser(compose: Compose) -> None:
    page = httpx.get(f"{compose.api.removesuffix('/api')}/dashboard", headers={"Accept": "text/html"})

    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "Prefect" in page.text


def test_nothing_is_reached_from_beyond_this_machine_and_no_job_has_the_docker_socket(
    compose: Compose,
) -> None:
    bound = {
        container.labels["com.docker.compose.service"]: container.attrs["HostConfig"]["PortBindings"] or {}
        for container in compose.containers()
    }
    addresses = [one["HostIp"] for ports in bound.values() for hosts in ports.values() for one in hosts]
    assert addresses == ["127.0.0.1"]
    with_socket = [
        container.labels["com.docker.compose.service"]
        for container in compose.containers()
        if "docker.sock" in json.dumps(container.attrs["HostConfig"]["Binds"])
    ]
    assert with_socket == ["worker"]


def test_data_and_history_outlive_the_service_and_a_key_ends_in_a_secret_block_alone(
    compose: Compose,
) -> None:
    key = secrets.token_hex(16)
    compose.run("down", "--timeout", "5")
    assert compose.volumes() == [f"{NAME}-data", f"{NAME}-postgres"]

    compose.up(TMDB_API_KEY=key)

    assert compose.flow_runs("movie-pipeline") == 2
    secret = f"{compose.api}/block_types/slug/secret/block_documents/name/tmdb-api-key"
    block = httpx.get(secret, params={"include_secrets": True})
    assert block.raise_for_status().json()["data"] == {"value": key}
    containers = compose.containers()
    services = sorted(container.labels["com.docker.compose.service"] for container in containers)
    assert services == ["forecast", "postgres", "server", "setup", "spark", "worker"]
    for container in containers:
        assert key not in json.dumps(container.attrs)
        assert key not in container.logs().decode(errors="replace")
