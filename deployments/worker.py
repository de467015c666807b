"""The worker of the pool `movies-docker`: Prefect's worker, which also reads from Docker how a job ended.

With Prefect's worker, Docker removes a container as it ends, so that its exit status is often lost. This
worker removes the container itself, after the run, its subflow runs and task runs have their final states.
Jobs that ended while no worker was running are found by their labels.

Private methods are used as they are in prefect 3.8.8 and prefect-docker 0.7.4.
"""

from __future__ import annotations

import logging
import sys
import warnings
from asyncio import to_thread
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from signal import Signals
from typing import Any
from uuid import UUID

import httpx
import requests
from docker import DockerClient
from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import ObjectNotFound
from prefect.utilities.schema_tools import validate
from prefect_docker.worker import (  # type: ignore[import-untyped]
    DockerWorker,
    DockerWorkerJobConfiguration,
    DockerWorkerResult,
)

from deployments.ended_runs import NEXT, SILENCE, SILENT, end_parts, end_run, end_silent_runs

POOL = "movies-docker"
RUN_LABEL, POOL_LABEL = "io.prefect.flow-run-id", "io.prefect.work-pool-id"
# Label of a container that is removed when its job has ended.
REMOVE_LABEL = "tmdb-movies.remove"
NOT_RUNNING = ["created", "exited", "dead"]
# Longer than any worker needs from a container's creation to its start.
STARTS_WITHIN = timedelta(minutes=1)
# Prefect records the last events of a task run some seconds after its process has ended.
RECORDED_WITHIN = timedelta(seconds=10)
# The errors of Docker and of Prefect's API.
DOCKER_ERRORS = (DockerException, requests.RequestException, RuntimeError)
FAILURES = (*DOCKER_ERRORS, httpx.HTTPError)
SIGNALS_FROM = 128
LAST_LINES = 20


@dataclass(frozen=True)
class Ended:
    """How a job's container ended; the exit status is None if the container is gone."""

    exit_code: int | None
    out_of_memory: bool = False
    memory_limit: int = 0

    @classmethod
    def read(cls, container: Container) -> Ended:
        state = container.attrs["State"]
        return cls(state["ExitCode"], state["OOMKilled"], container.attrs["HostConfig"]["Memory"])

    @property
    def sentence(self) -> str:
        if self.exit_code is None:
            return "Its container was removed before the run ended."
        if self.out_of_memory:
            limit = f" of {self.memory_limit / 2**20:.0f} MB" if self.memory_limit else ""
            return f"Its container ran out of memory{limit}. Raise the job variable mem_limit."
        if self.exit_code == 0:
            return "Its container ended before the run did."
        if self.exit_code > SIGNALS_FROM and self.exit_code - SIGNALS_FROM in set(Signals):
            return f"Its container was ended by {Signals(self.exit_code - SIGNALS_FROM).name}."
        return f"Its container ended with status {self.exit_code} before the run did."


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a record is new: Prefect's logger of runs also logs created and started containers."""
    return not record.getMessage().startswith(("Creating Docker container", "Docker container '"))


def _may_start(container: Container) -> bool:
    """Whether another worker may just have created this container."""
    age = datetime.now(UTC) - datetime.fromisoformat(container.attrs["Created"])
    return container.status == "created" and age < STARTS_WITHIN


class JobRefusedError(Exception):
    """The work pool does not allow a run's job variables, so that it gets no container."""


def check_job_variables(run: FlowRun, deployment: Any, schema: dict[str, Any]) -> None:
    """Validate the job variables of a run and its deployment, as they were given, against a pool's schema.

    Prefect's API does so when it creates them, but not for a run without a deployment, nor again for a
    deployment that is older than the schema.

    Raises:
        JobRefusedError: the schema does not allow one of them.
    """
    given = {**(getattr(deployment, "job_variables", None) or {}), **(run.job_variables or {})}
    problems = validate(given, schema, ignore_required=True, allow_none_with_default=True)
    if problems:
        where = problems[0].json_path.replace("$", "job_variables", 1)
        raise JobRefusedError(
            f"The work pool does not allow {where}: {problems[0].message}. "
            "Change the run's job variables, or deploy again."
        )


def _run_id(container: Container) -> UUID | None:
    """Return the run of a job's container, or None if the container has only the pool's label."""
    try:
        return UUID(container.labels[RUN_LABEL])
    except (KeyError, ValueError):
        return None


class JobResult(DockerWorkerResult):  # type: ignore[misc]
    """The result of a job that `JobWorker.run` has reported; another one makes Prefect guess why it ended."""

    exit_code: int


with warnings.catch_warnings():
    # It replaces Prefect's own worker in this process on purpose.
    warnings.filterwarnings("ignore", "Type 'JobWorker'")

    class JobWorker(DockerWorker):  # type: ignore[misc]
        """A Docker worker that gives each run whose container has ended a final state."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._watched: set[UUID] = set()
            self._ended_lately: dict[UUID, tuple[datetime, str]] = {}
            self._synced_at = self._synced_since = datetime.min.replace(tzinfo=UTC)
            logging.getLogger(self._logger.name).addFilter(_is_news)

        async def run(
            self, flow_run: FlowRun, configuration: DockerWorkerJobConfiguration, task_status: Any = None
        ) -> DockerWorkerResult:
            """Run a job in a container and, when the container has ended, set the final state of its run.

            Raises:
                JobRefusedError: the pool's schema does not allow its variables; Prefect crashes the run.
            """
            deployment = configuration._related_objects["deployment"]
            check_job_variables(flow_run, deployment, self.work_pool.base_job_template["variables"])
            self._watched.add(flow_run.id)
            try:
                result = await super().run(flow_run, configuration, task_status)
                _, container_id = self._parse_infrastructure_pid(result.identifier)
                ended = await self._end_job(flow_run.id, container_id)
            finally:
                self._watched.discard(flow_run.id)
            exit_code = result.status_code if ended.exit_code is None else ended.exit_code
            return JobResult(identifier=result.identifier, status_code=0, exit_code=exit_code)

        async def sync_with_backend(self) -> None:
            """Sync with Prefect every half minute, and set the final states of runs that died unnoticed."""
            await super().sync_with_backend()
            now = datetime.now(UTC)
            # Heartbeats are also missing while this machine sleeps or the server is down.
            if now - self._synced_at > 2 * timedelta(seconds=self.heartbeat_interval_seconds):
                self._synced_since = now
            self._synced_at = now
            for run_id, (ended_at, message) in list(self._ended_lately.items()):
                if now - ended_at < RECORDED_WITHIN:
                    continue
                with self._trying_again(f"End the parts of run {run_id}"):
                    with suppress(ObjectNotFound):
                        await end_parts(self.client, run_id, message)
                    del self._ended_lately[run_id]
            try:
                going_on, left_behind = await to_thread(self._find_jobs)
            except DOCKER_ERRORS as error:
                self._logger.warning("Docker does not answer: %s", error)
                return
            for run_id, container_id in left_behind:
                with self._trying_again(f"End run {run_id} and remove its container {container_id[:12]}"):
                    await self._end_job(run_id, container_id)
            if now - self._synced_since < SILENCE:
                return
            with self._trying_again("End runs without heartbeats"):
                for run in await end_silent_runs(self.client, going_on | self._watched, now - SILENCE):
                    self.get_flow_run_logger(run).error("Crashed: %s", SILENT)

        @contextmanager
        def _trying_again(self, what: str) -> Iterator[None]:
            """Log an error with one run and go on; the next sync tries it again."""
            try:
                yield
            except FAILURES as error:
                self._logger.warning("%s: failed, the next sync tries again. %s", what, error)

        def _build_container_settings(
            self, docker_client: DockerClient, configuration: DockerWorkerJobConfiguration
        ) -> dict[str, Any]:
            settings: dict[str, Any] = super()._build_container_settings(docker_client, configuration)
            # Of a run's own labels and Prefect's of the same name, Prefect takes the run's.
            run = configuration._related_objects["flow-run"]
            labels = {RUN_LABEL: str(run.id), POOL_LABEL: str(self.work_pool.id)}
            if settings["auto_remove"]:
                labels[REMOVE_LABEL] = "true"
            return settings | {"auto_remove": False, "labels": settings["labels"] | labels}

        def _watch_container(
            self, docker_client: DockerClient, container_id: str, configuration: DockerWorkerJobConfiguration
        ) -> Iterator[Container]:
            container = docker_client.containers.get(container_id)
            yield container
            if configuration.stream_output:
                for line in container.logs(stream=True):
                    print(line.decode(errors="replace").rstrip())  # noqa: T201
            container.wait()
            container.reload()
            yield container

        def _emit_flow_run_executed_event(
            self, result: Any, configuration: Any, submitted_event: Any = None
        ) -> None:
            said = DockerWorkerResult(identifier=result.identifier, status_code=result.exit_code)
            super()._emit_flow_run_executed_event(said, configuration, submitted_event)

        def _find_jobs(self) -> tuple[set[UUID], list[tuple[UUID, str]]]:
            """Return active runs of this pool, and unwatched ended runs with their containers."""
            filters = {"label": f"{POOL_LABEL}={self.work_pool.id}"}
            client = self._get_client()
            try:
                found = client.containers.list(all=True, filters=filters, ignore_removed=True)
            finally:
                client.close()
            jobs = {container: run for container in found if (run := _run_id(container))}
            going_on = {run for container, run in jobs.items() if container.status not in NOT_RUNNING}
            left_behind = [
                (run, container.id)
                for container, run in jobs.items()
                if run not in going_on | self._watched
                and REMOVE_LABEL in container.labels
                and not _may_start(container)
            ]
            return going_on, left_behind

        async def _end_job(self, run_id: UUID, container_id: str) -> Ended:
            """Set the final state of a run whose container has ended, then remove the container."""
            ended, output = await to_thread(self._inspect, container_id)
            with suppress(ObjectNotFound):
                await self._end_run(await self.client.read_flow_run(run_id), container_id, ended, output)
            await to_thread(self._remove, container_id)
            return ended

        async def _end_run(self, run: FlowRun, container_id: str, ended: Ended, output: str) -> None:
            if not (run.infrastructure_pid or container_id).endswith(container_id):
                # It was restarted in another container.
                return
            message = f"{ended.sentence} {NEXT}"
            if await end_run(self.client, run, message, replace=ended.out_of_memory):
                self.get_flow_run_logger(run).error("Crashed: %s", message)
                if run.start_time is None and output:
                    # Prefect has no output from before the start of a run.
                    self._logger.error("The last output of its container:\n%s", output)
            self._ended_lately[run.id] = datetime.now(UTC), message

        def _inspect(self, container_id: str) -> tuple[Ended, str]:
            client = self._get_client()
            try:
                container = client.containers.get(container_id)
                ended = Ended.read(container)
                output = container.logs(tail=LAST_LINES) if ended.exit_code else b""
                return ended, output.decode(errors="replace").strip()
            except NotFound:
                return Ended(None), ""
            finally:
                client.close()

        def _remove(self, container_id: str) -> None:
            client = self._get_client()
            try:
                container = client.containers.get(container_id)
                if REMOVE_LABEL in container.labels:
                    # With its anonymous volume, `/scratch`.
                    container.remove(v=True)
            except APIError as error:
                # Another worker of the pool removes it.
                if error.status_code not in (404, 409):
                    raise
            finally:
                client.close()


def start_worker(arguments: list[str]) -> None:
    """Run `prefect worker start` with this worker and these options."""
    from prefect.cli import app

    sys.argv = ["prefect", "worker", "start", "--pool", POOL, "--type", "docker", *arguments]
    app()


if __name__ == "__main__":
    start_worker(sys.argv[1:])
