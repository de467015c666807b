"""Delete old runs of this project's flows from Prefect, with their artifacts and logs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    ArtifactCollectionFilter,
    ArtifactCollectionFilterFlowRunId,
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    LogFilter,
    LogFilterFlowRunId,
)
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound
from prefect.settings import get_current_settings

from tasks.caching import RESULTS_FOLDER

logger = logging.getLogger(__name__)

FLOWS = ("movie-pipeline", "ingest-movies", "refresh-analytics", "forecast-revenue", "maintain-lake")
OURS = FlowFilter(name=FlowFilterName(any_=[*FLOWS]))
KEPT_DAYS = 90
# Artifacts with a picture are nine tenths of what a refresh stores; Prefect's UI lists the versions of each.
PICTURE = "](data:image/"
KEPT_PICTURES = 3
# The most that Prefect's API returns in one response.
PAGE = 200
# For pictures, which are large.
PICTURES_PAGE = 20
# The most ids in one filter.
BATCH = 50
# A server deletes the logs of a run after its response.
LOGS_SECONDS = 30.0
ASK_AGAIN_SECONDS = 0.1


@dataclass(frozen=True)
class Pruned:
    """What was deleted; `artifacts` counts those of the runs, `kept` old runs with a latest artifact."""

    runs: int = 0
    artifacts: int = 0
    kept: int = 0
    results: int = 0
    pictures: int = 0


async def prune_runs(days: float, dry_run: bool = False) -> Pruned:
    """Delete runs of `FLOWS` in any state that were scheduled earlier, and equally old cached results.

    A run that made the latest artifact of some key stays: Prefect's UI shows that artifact. Of pictures, all
    but the newest `KEPT_PICTURES` versions go, however old. Results are deleted from a folder only, not from
    an object store.

    Raises:
        httpx.HTTPError: Prefect's API does not respond, or rejects a request.
    """
    before = datetime.now(UTC) - timedelta(days=days)
    async with get_client() as client:
        old = await _read_runs(client, before)
        latest = [run for batch in _batches(old) for run in await _read_latest(client, batch)]
        doomed = [run for run in old if run not in set(latest)]
        artifacts: list[UUID] = []
        for batch in _batches(doomed):
            found = await _read_artifacts(client, batch)
            artifacts += found
            if not dry_run:
                await _delete(client, batch, found)
        gone = {*artifacts}
        pictures = [one for one in await _read_old_pictures(client) if one not in gone]
        if not dry_run:
            await _delete_artifacts(client, pictures)
    results = _old_results(before)
    if not dry_run:
        for path in results:
            path.unlink(missing_ok=True)
    return Pruned(
        len(doomed), len(artifacts), len(old) - len(doomed), results=len(results), pictures=len(pictures)
    )


def _old_results(before: datetime) -> list[Path]:
    """Return the files of results from before a moment; a task whose result is gone runs again."""
    folder = get_current_settings().results.local_storage_path / RESULTS_FOLDER
    return [path for path in folder.glob("*") if path.stat().st_mtime < before.timestamp()]


async def _read_runs(client: PrefectClient, before: datetime) -> list[UUID]:
    found: list[UUID] = []
    while True:
        page = await client.read_flow_runs(
            flow_filter=OURS,
            flow_run_filter=FlowRunFilter(
                expected_start_time=FlowRunFilterExpectedStartTime.model_validate({"before_": before})
            ),
            sort=FlowRunSort.EXPECTED_START_TIME_ASC,
            limit=PAGE,
            offset=len(found),
        )
        found += [run.id for run in page]
        if len(page) < PAGE:
            return found


async def _read_latest(client: PrefectClient, runs: list[UUID]) -> list[UUID]:
    """Return the runs that made the latest artifact of a key."""
    collections = await client.read_latest_artifacts(
        artifact_filter=ArtifactCollectionFilter(flow_run_id=ArtifactCollectionFilterFlowRunId(any_=runs)),
        limit=PAGE,
    )
    return [one.flow_run_id for one in collections if one.flow_run_id is not None]


async def _read_artifacts(client: PrefectClient, runs: list[UUID]) -> list[UUID]:
    found: list[UUID] = []
    while True:
        page = await client.read_artifacts(
            artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=runs)),
            limit=PAGE,
            offset=len(found),
        )
        found += [artifact.id for artifact in page]
        if len(page) < PAGE:
            return found


async def _read_old_pictures(client: PrefectClient) -> list[UUID]:
    """Return the artifacts with a picture, except for the newest of each key."""
    latest = _read_our_artifacts(client, "/artifacts/latest/filter")
    keys = [one["key"] async for one in latest if PICTURE in str(one["data"])]
    found: list[UUID] = []
    for key in keys:
        wanted = {"artifacts": {"key": {"any_": [key]}}, "sort": "CREATED_DESC"}
        older = _read_our_artifacts(client, "/artifacts/filter", KEPT_PICTURES, **wanted)
        found += [UUID(one["id"]) async for one in older]
    return found


async def _read_our_artifacts(
    client: PrefectClient,
    path: Literal["/artifacts/filter", "/artifacts/latest/filter"],
    offset: int = 0,
    **wanted: Any,
) -> AsyncIterator[dict[str, Any]]:
    """Read artifacts of our flows page by page; Prefect's client has no filter by flow, its API has."""
    ours = {"flows": OURS.model_dump(mode="json", exclude_unset=True), "limit": PICTURES_PAGE} | wanted
    while True:
        page = (await client.request("POST", path, json=ours | {"offset": offset})).json()
        for artifact in page:
            yield artifact
        offset += len(page)
        if len(page) < PICTURES_PAGE:
            return


async def _delete(client: PrefectClient, runs: list[UUID], artifacts: list[UUID]) -> None:
    # Artifacts first: after an interruption, the next call still finds the runs.
    await _delete_artifacts(client, artifacts)
    for run in runs:
        try:
            await client.delete_flow_run(run)
        except ObjectNotFound:
            logger.info("the run %s was deleted by another process", run)
    await _await_logs(client, runs)


async def _delete_artifacts(client: PrefectClient, artifacts: list[UUID]) -> None:
    for artifact in artifacts:
        try:
            await client.delete_artifact(artifact)
        except ObjectNotFound:
            logger.info("the artifact %s was deleted by another process", artifact)


async def _await_logs(client: PrefectClient, runs: list[UUID]) -> None:
    """Wait until the server has deleted the logs of the runs: a temporary one ends with this process."""
    of_runs = LogFilter(flow_run_id=LogFilterFlowRunId(any_=runs))
    for _ in range(round(LOGS_SECONDS / ASK_AGAIN_SECONDS)):
        if not await client.read_logs(of_runs, limit=1):
            return
        await asyncio.sleep(ASK_AGAIN_SECONDS)
    logger.warning("Prefect's server has not deleted the logs of %s runs yet", len(runs))


def _batches(ids: Sequence[UUID]) -> Iterator[list[UUID]]:
    for start in range(0, len(ids), BATCH):
        yield [*ids[start : start + BATCH]]
