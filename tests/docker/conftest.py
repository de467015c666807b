"""A whole service whose jobs are containers: TMDB's sandbox, a Prefect server, a worker, the deployments."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest
from docker.errors import DockerException
from docker.models.containers import Container

from deployments.job_settings import job_settings
from movies.lake.table import Table
from movies.sandbox import Sandbox
from tests.flows.prefect_runs import Api
from tests.places import clean_environment, sorted_rows
from tests.prefect_servers import prefect_server

PROJECT_ROOT = Path(__file__).parents[2]
BUILD_SECONDS = 1200.0
RUN_SECONDS = 300.0
WORKER_ENDS_SECONDS = 30.0
SYNTHETIC_MOVIES = 400
FINAL = ("COMPLETED", "FAILED", "CANCELLED")


@pytest.fixture(scope="session")
def docker_client() -> Iterator[docker.DockerClient]:
    """The Docker engine of this machine."""
    try:
        client = docker.from_env(timeout=RUN_SECONDS)
    except DockerException:
        reason = "no Docker engine answers"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    yield client
    client.close()


@pytest.fixture(scope="session")
def images(docker_client) -> None:
    """All images, as they are now; quick where nothing but code has changed."""
    for name, of, arguments in (
        ("flow", "flow", {}),
        ("forecast", "flow", {"FORECAST": "1"}),
        ("spark", "spark", {}),
    ):
        docker_client.images.build(
            path=str(PROJECT_ROOT),
            dockerfile=f"docker/{of}.Dockerfile",
            buildargs=arguments | job_settings()["build_arguments"],
            tag=f"tmdb-movies-{name}:latest",
            rm=True,
            forcerm=True,
        )


def require_compose() -> None:
    """Skip a test, or fail it in CI, if Docker has no compose."""
    if subprocess.run(["docker", "compose", "version"], capture_output=True).returncode != 0:
        reason = "docker has no compose plugin"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


@dataclass
class Service:
    """The service as somebody at a terminal has it."""

    docker: docker.DockerClient
    api: str
    environment: dict[str, str]
    data: Path
    sandbox: Sandbox

    def prefect(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Prefect's command line."""
        return subprocess.run(
            [sys.executable, "-m", "prefect", "--no-prompt", *arguments],
            cwd=PROJECT_ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
        )

    def start(self, deployment: str, **parameters: Any) -> subprocess.Popen[str]:
        """Start `prefect deployment run … --watch`."""
        given = [
            part for name, value in parameters.items() for part in ("--param", f"{name}={json.dumps(value)}")
        ]
        command = [sys.executable, "-m", "prefect", "deployment", "run", deployment, "--watch", *given]
        return subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def run(self, deployment: str, **parameters: Any) -> int:
        """Run a deployment to its end; return the exit status."""
        process = self.start(deployment, **parameters)
        output, _ = process.communicate(timeout=RUN_SECONDS)
        # Shown where the test fails.
        sys.stdout.write(output)
        for log in self.data.glob("output/logs/project.log"):
            sys.stdout.write(log.read_text()[-5000:])
        return process.returncode

    def run_by_api(self, deployment: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Run a deployment as a form or a REST client starts it; return the run as it ended."""
        api = Api(self.api)
        flow, name = deployment.split("/")
        of = {"flows": {"name": {"any_": [flow]}}, "deployments": {"name": {"any_": [name]}}}
        [found] = api.ask("/deployments/filter", of)
        started = api.ask(f"/deployments/{found['id']}/create_flow_run", {"parameters": parameters})
        deadline = time.monotonic() + RUN_SECONDS
        while True:
            [run] = api.ask("/flow_runs/filter", {"flow_runs": {"id": {"any_": [started["id"]]}}})
            if run["state_type"] in FINAL:
                return dict(run)
            assert time.monotonic() < deadline, f"the run did not end: {run['state']}"
            time.sleep(0.5)

    def post(self, path: str, **body: Any) -> Any:
        """Ask the API for a list of something."""
        return httpx.post(f"{self.api}/{path}", json=body, timeout=30).raise_for_status().json()

    def flow_runs(self, flow: str) -> list[dict[str, Any]]:
        """The runs of a flow, newest first."""
        found = self.post("flow_runs/filter", flows={"name": {"any_": [flow]}}, sort="START_TIME_DESC")
        return list(found)

    def task_states(self, flow_run_id: str) -> dict[str, str]:
        """The state of each task of a flow run, by its name."""
        runs = self.post("task_runs/filter", flow_runs={"id": {"any_": [flow_run_id]}})
        return {run["name"]: run["state_name"] for run in runs}

    def states(self, run: dict[str, Any]) -> dict[str, set[str]]:
        """The states of a flow run, its subflow runs and all their task runs."""
        parts = self.post("flow_runs/filter", flow_runs={"parent_flow_run_id": {"any_": [run["id"]]}})
        runs = [*self.post("flow_runs/filter", flow_runs={"id": {"any_": [run["id"]]}}), *parts]
        tasks = self.post("task_runs/filter", flow_runs={"id": {"any_": [found["id"] for found in runs]}})
        return {
            "runs": {found["state_name"] for found in runs},
            "tasks": {found["state_name"] for found in tasks},
        }

    @property
    def worker_log(self) -> str:
        """What the worker has written so far."""
        return Path(self.environment["PREFECT_HOME"], "worker.log").read_text()

    def jobs(self) -> list[Container]:
        """The containers of the worker's jobs, running or not."""
        found: list[Container] = self.docker.containers.list(
            all=True, filters={"label": "io.prefect.flow-run-id"}, ignore_removed=True
        )
        return found

    def rows(self, table: Table, *columns: str) -> list[Any]:
        """A table's rows, or one column's values, sorted."""
        return sorted_rows(table, str(self.data / "lake"), *columns)


@pytest.fixture(scope="module")
def service(docker_client, tmp_path_factory) -> Iterator[Service]:
    """A service of its own, deployed from `prefect.yaml` as README.md says."""
    home, data = tmp_path_factory.mktemp("prefect"), tmp_path_factory.mktemp("data")
    with (
        prefect_server(tmp_path_factory, home) as api,
        Sandbox(synthetic=SYNTHETIC_MOVIES) as sandbox,
    ):
        environment = clean_environment() | {
            "PREFECT_API_URL": api,
            "PREFECT_HOME": str(home),
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "PREFECT_WORKER_HEARTBEAT_SECONDS": "3",
            "PREFECT_LOGGING_COLORS": "false",
            "DATA_VOLUME": str(data),
            "TMDB_API_KEY": sandbox.key,
            "TMDB_BASE_URL": sandbox.base_url,
            "INGESTION_BATCH_SIZE": "20",
        }
        service = Service(docker_client, api, environment, data, sandbox)
        set_up = subprocess.run(
            [sys.executable, "-m", "cli", "setup"],
            cwd=PROJECT_ROOT,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert set_up.returncode == 0, set_up.stdout + set_up.stderr
        assert sandbox.key not in set_up.stdout + set_up.stderr
        # The key is in a Secret block by now: whoever deploys need not have it.
        del environment["TMDB_API_KEY"]
        deployed = service.prefect("deploy", "--all")
        assert deployed.returncode == 0, deployed.stdout + deployed.stderr
        with worker(environment, home / "worker.log"):
            yield service
        assert service.jobs() == []


@contextmanager
def worker(environment: dict[str, str], log: Path) -> Iterator[None]:
    """A worker process for the length of the block."""
    command = [sys.executable, "-m", "cli", "worker"]
    with log.open("w") as file:
        process = subprocess.Popen(
            command, env=environment, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(WORKER_ENDS_SECONDS)
        except subprocess.TimeoutExpired:
            # It waits for a job that goes on, as after a test that failed.
            process.kill()
            process.wait()
