"""The fetch task: a part of a batch, from TMDB into the raw tables."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

from prefect import get_client, runtime, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.filters import (
    TaskRunFilter,
    TaskRunFilterFlowRunId,
    TaskRunFilterState,
    TaskRunFilterStateType,
)
from prefect.client.schemas.objects import StateType

from movies.tmdb.movie_answers import Failure, Movie, fetch_movies
from tasks.context import current_ingestion
from tasks.optional import optional

# How long to wait for Prefect's server, at most.
RECORDING_SECONDS = 1.0
POLL_SECONDS = 0.05
MOST_AWAITED = 20


@dataclass(frozen=True)
class FetchCounts:
    """What became of the movies of one task."""

    fetched: int = 0
    failed: dict[str, int] = field(default_factory=dict)


@task(name="fetch-movies", task_run_name="batch {label}", cache_policy=NO_CACHE, persist_result=False)
async def fetch_part(label: str, batch_id: str, movie_ids: list[int]) -> FetchCounts:
    """Fetch movies and hand them to the committer; done only once their batch is committed."""
    ingestion = current_ingestion()
    client = ingestion.client
    outcomes = await fetch_movies(
        client,
        movie_ids,
        on_outcome=lambda outcome: ingestion.progress.advance(failed=_is_loss(outcome)),
    )
    movies = [outcome for outcome in outcomes if isinstance(outcome, Movie)]
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    try:
        await ingestion.committer.hand_in(ingestion.batches[batch_id], movies, failures)
    except Exception as error:
        # If they cannot be committed, stop fetching.
        client.stop.set(error)
        raise
    return FetchCounts(len(movies), dict(Counter(failure.reason for failure in failures)))


@optional
async def await_records(tasks: int) -> None:
    """Wait until Prefect's server has recorded so many finished tasks of this flow run, or for a second.

    On SQLite, the server rejects a write that collides with another, such as the creation of the next flow
    run. The client then waits two seconds before it tries again, which is a third of a short run.
    """
    if tasks > MOST_AWAITED:
        return
    finished = TaskRunFilter(
        flow_run_id=TaskRunFilterFlowRunId(any_=[UUID(runtime.flow_run.id)]),
        state=TaskRunFilterState(type=TaskRunFilterStateType(any_=[StateType.COMPLETED])),
    )
    with suppress(TimeoutError):
        async with asyncio.timeout(RECORDING_SECONDS), get_client() as client:
            while len(await client.read_task_runs(task_run_filter=finished, limit=tasks)) < tasks:
                await asyncio.sleep(POLL_SECONDS)


def _is_loss(outcome: Movie | Failure) -> bool:
    return isinstance(outcome, Failure) and outcome.reason != "not_found"
