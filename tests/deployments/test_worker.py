"""The worker's syncs, on a Prefect server, with a Docker of the test's."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from docker.errors import APIError
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, WorkPool
from prefect.states import Completed, Running
from prefect_docker.worker import DockerWorker, DockerWorkerJobConfiguration
from requests import Response

import deployments.worker
from deployments.ended_runs import SILENCE
from deployments.worker import (
    POOL_LABEL,
    RECORDED_WITHIN,
    REMOVE_LABEL,
    RUN_LABEL,
    JobRefusedError,
    JobWorker,
)
from tests.deployments.test_ended_runs import add_run, add_task, states_of
from tests.deployments.test_work_pools import DOCKER_VARIABLES, template

PASSED = SILENCE.total_seconds()


class Container:
    """One that has ended with status 3."""

    status = "exited"

    def __init__(self, run_id: object = None, error_status: int | None = None) -> None:
        self.id = uuid4().hex
        self.labels = {REMOVE_LABEL: "true"} | ({RUN_LABEL: str(run_id)} if run_id else {})
        self.attrs = {
            "Created": "2026-01-01T00:00:00Z",
            "State": {"ExitCode": 3, "OOMKilled": False},
            "HostConfig": {"Memory": 0},
        }
        self.error_status = error_status
        self.removed_with: dict[str, Any] | None = None

    def logs(self, tail: int) -> bytes:
        return b""

    def remove(self, **arguments: Any) -> None:
        if self.error_status is not None:
            response = Response()
            response.status_code = self.error_status
            raise APIError("driver failed", response)
        self.removed_with = arguments


@pytest.fixture
def containers(monkeypatch) -> list[Container]:
    """What Docker has, and the worker finds."""
    found: list[Container] = []

    def get(container_id: str) -> Container:
        return next(one for one in found if one.id == container_id)

    docker = SimpleNamespace(containers=SimpleNamespace(list=lambda **_: found, get=get), close=lambda: None)
    monkeypatch.setattr(JobWorker, "_get_client", lambda self: docker)
    return found


@pytest.fixture
def worker(client, containers, monkeypatch) -> JobWorker:
    async def sync(self: DockerWorker) -> None:
        """Prefect's part, which is not what is tested."""

    monkeypatch.setattr(DockerWorker, "sync_with_backend", sync)
    # A run's own logger would start a server to send to.
    monkeypatch.setattr(JobWorker, "get_flow_run_logger", lambda self, run: logging.getLogger("of a run"))
    made = JobWorker("movies-docker")
    made._client, made._work_pool = client, SimpleNamespace(id=uuid4())
    return made


@pytest.fixture
def pass_seconds(monkeypatch) -> Callable[[float], None]:
    """Set the worker's clock forward."""
    ahead = [0.0]

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return datetime.now(UTC) + timedelta(seconds=ahead[0])

    def pass_(seconds: float) -> None:
        ahead[0] += seconds

    monkeypatch.setattr(deployments.worker, "datetime", Clock)
    return pass_


@pytest.fixture
def silent_syncs(monkeypatch) -> list[set[UUID]]:
    """With which runs a sync asked for silent ones."""
    asked: list[set[UUID]] = []

    async def end_silent_runs(_: PrefectClient, watched: set[UUID], since: datetime) -> list[Any]:
        asked.append(watched)
        return []

    monkeypatch.setattr(deployments.worker, "end_silent_runs", end_silent_runs)
    return asked


async def test_a_container_that_cannot_be_removed_and_one_of_no_run_hold_up_no_other(
    client, worker, containers, caplog
):
    stuck, other = [await add_run(client, Running()) for _ in range(2)]
    containers += [Container("no-id"), Container(), Container(stuck.id, 500), Container(other.id)]
    # Deleted meanwhile.
    containers.append(Container(uuid4()))

    with caplog.at_level(logging.WARNING):
        await worker.sync_with_backend()

    states = await states_of(client, {"stuck": stuck.id, "other": other.id})
    assert states == {"stuck": "Crashed", "other": "Crashed"}
    assert [one.removed_with for one in containers] == [None, None, None, {"v": True}, {"v": True}]
    [sentence] = [line for line in caplog.messages if "remove its container" in line]
    assert f"End run {stuck.id} and remove its container {containers[2].id[:12]}: failed" in sentence


async def test_no_run_is_called_silent_before_the_worker_has_synced_for_as_long_without_a_gap(
    worker, silent_syncs, pass_seconds
):
    def times(seconds: float) -> list[float]:
        return [seconds] * int(PASSED / seconds)

    # At its start, and after a laptop has slept, it cannot know who has sent a heartbeat.
    for seconds in (0.0, *times(30.0)[:-1]):
        pass_seconds(seconds)
        await worker.sync_with_backend()
    assert silent_syncs == []

    pass_seconds(35.0)
    await worker.sync_with_backend()
    assert len(silent_syncs) == 1

    for seconds in (3600.0, *times(30.0)[:-1]):
        pass_seconds(seconds)
        await worker.sync_with_backend()
    assert len(silent_syncs) == 1

    pass_seconds(35.0)
    await worker.sync_with_backend()
    assert len(silent_syncs) == 2


async def test_what_an_ended_job_left_open_is_crashed_some_seconds_later(
    client, worker, containers, pass_seconds
):
    run = await add_run(client, Running(), Completed())
    ids = {"run": run.id, "task": await add_task(client, run, Running())}
    containers.append(Container(run.id))
    await worker.sync_with_backend()
    containers.clear()

    await worker.sync_with_backend()
    assert await states_of(client, ids) == {"run": "Completed", "task": "Running"}

    pass_seconds(RECORDED_WITHIN.total_seconds())
    await worker.sync_with_backend()
    assert await states_of(client, ids) == {"run": "Completed", "task": "Crashed"}


def test_a_runs_own_labels_replace_none_that_the_worker_reads(worker):
    run = SimpleNamespace(id=uuid4())
    labels = {RUN_LABEL: "none", POOL_LABEL: "none", "team": "movies"}
    job = DockerWorkerJobConfiguration(
        env={"PREFECT_API_URL": "http://server:4200/api"}, labels=labels, auto_remove=True
    )
    job._related_objects = {"flow-run": run}

    settings = worker._build_container_settings(SimpleNamespace(), job)

    assert settings["labels"] == {
        RUN_LABEL: str(run.id),
        POOL_LABEL: str(worker.work_pool.id),
        REMOVE_LABEL: "true",
        "team": "movies",
    }
    assert settings["auto_remove"] is False


@pytest.fixture
async def submit(client, worker, monkeypatch):
    """How to have the worker run a job; returns what containers it would have started."""
    made: list[DockerWorkerJobConfiguration] = []

    async def run(self: DockerWorker, run: FlowRun, job: DockerWorkerJobConfiguration, _: Any) -> None:
        made.append(job)
        raise APIError("no engine here")

    async def ask(of_deployment: dict[str, Any] | None, of_run: dict[str, Any]) -> list[Any]:
        worker._work_pool = WorkPool(
            name="movies-docker", type="docker", base_job_template=template("docker")
        )
        flow_run = (await add_run(client)).model_copy(update={"job_variables": of_run})
        deployment = None if of_deployment is None else await deploy(flow_run.flow_id, of_deployment)
        job = await DockerWorkerJobConfiguration.resolve_for_flow_run(
            flow_run, client=client, work_pool=worker._work_pool, worker_name="w", deployment=deployment
        )
        with suppress(APIError):
            await worker.run(flow_run, job)
        return made

    async def deploy(flow_id: UUID, variables: dict[str, Any]) -> Any:
        """One that no pool's schema was asked about, as it is older."""
        deployment_id = await client.create_deployment(flow_id, f"old-{uuid4()}", job_variables=variables)
        return await client.read_deployment(deployment_id)

    monkeypatch.setattr(DockerWorker, "run", run)
    return ask


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        (
            {"volumes": ["/./run:/r"]},
            "job_variables.volumes[0]: '/./run:/r' is not one of ['tmdb-movies-data:/data']. ",
        ),
        ({"env": {"tmdb_api_key": "k"}}, "job_variables.env: 'tmdb_api_key' is not one of ['ALL_PROXY', "),
        (
            {"env.tmdb_api_key": "k"},
            "job_variables: Additional properties are not allowed ('env.tmdb_api_key' ",
        ),
        ({"privileged": True}, "job_variables: Additional properties are not allowed ('privileged' "),
    ],
    ids=["volume", "key", "dotted", "unknown"],
)
async def test_what_the_pool_does_not_allow_gets_no_container(variables, sentence, worker, submit):
    for of_deployment, of_run in ((None, variables), (variables, {}), (DOCKER_VARIABLES, variables)):
        of_deployment, of_run = deepcopy((of_deployment, of_run))
        with pytest.raises(JobRefusedError) as refusal:
            await submit(of_deployment, of_run)

        assert str(refusal.value).startswith(f"The work pool does not allow {sentence}")
    assert worker._watched == set()


async def test_a_reference_is_validated_as_it_was_given(client, submit):
    await client._client.post("/variables/", json={"name": "image", "value": "tmdb-movies-flow:latest"})

    with pytest.raises(
        JobRefusedError, match=re.escape("image: '{{ prefect.variables.image }}' is not one of ")
    ):
        await submit(None, {"image": "{{ prefect.variables.image }}"})


async def test_what_the_pool_allows_becomes_a_container_with_the_variables_of_deployment_and_run(submit):
    made = await submit(deepcopy(DOCKER_VARIABLES), {"env": {"LAKE_ROOT": "/data/other"}, "mem_limit": "3g"})
    made = await submit(None, {"env": {"LAKE_ROOT": "/data/other"}})

    wanted = ("LAKE_ROOT", "SPARK_MASTER")
    assert [({name: job.env.get(name) for name in wanted}, job.mem_limit) for job in made] == [
        ({"LAKE_ROOT": "/data/other", "SPARK_MASTER": "local[*]"}, "3g"),
        ({"LAKE_ROOT": "/data/other", "SPARK_MASTER": None}, "2g"),
    ]
