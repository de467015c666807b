"""The worker's syncs, on a Prefect server, with a Docker of the test's."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from docker.errors import APIError
from prefect.client.orchestration import PrefectClient
from prefect.states import Completed, Running
from prefect_docker.worker import DockerWorker, DockerWorkerJobConfiguration
from requests import Response

import flows.worker
from flows.ended_runs import SILENCE
from flows.worker import POOL_LABEL, RECORDED_WITHIN, REMOVE_LABEL, RUN_LABEL, JobWorker
from tests.deployments.test_ended_runs import add_run, add_task, states_of

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

    monkeypatch.setattr(flows.worker, "datetime", Clock)
    return pass_


@pytest.fixture
def silent_syncs(monkeypatch) -> list[set[UUID]]:
    """With which runs a sync asked for silent ones."""
    asked: list[set[UUID]] = []

    async def end_silent_runs(_: PrefectClient, watched: set[UUID], since: datetime) -> list[Any]:
        asked.append(watched)
        return []

    monkeypatch.setattr(flows.worker, "end_silent_runs", end_silent_runs)
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
