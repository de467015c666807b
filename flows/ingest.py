"""The flow that brings movies from TMDB into the raw tables."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from itertools import chain, pairwise
from math import ceil
from pathlib import Path

from prefect import flow, runtime

from flows.interrupt import drain_on_interrupt
from flows.planning import SANDBOX, plan, source_of
from flows.run_report import IngestionReport, raise_for_lost
from flows.run_settings import is_deployed, run_settings
from lake.checkpoints import Committer
from lake.work_list import WorkList
from settings import TMDB_API_URL, Settings
from tasks.context import Ingestion, ingestion_context
from tasks.events import announce_landed_rows
from tasks.fetch import FetchCounts, await_records, fetch_part
from tasks.progress import Progress, progress_artifact
from tasks.waiting import all_done
from tmdb.client import open_client
from tmdb.pace import Pace
from tmdb.retry import RetryPolicy
from tmdb.stop import Stop

logger = logging.getLogger(__name__)

PIPELINE = "movie-pipeline"
# A million movies at 40 a second take seven hours.
LONGEST_SECONDS = 24 * 3600
# Even the smallest work list is fetched by this many tasks side by side, which share one commit.
LEAST_TASKS = 5
BATCH_SIZE, LARGE_BATCH_SIZE, LARGE_WORK_LIST = 100, 1_000, 10_000


@flow(name="ingest-movies", validate_parameters=True, timeout_seconds=LONGEST_SECONDS)
async def ingest_movies(
    movie_ids: list[int] | None = None,
    movie_ids_file: Path | None = None,
    refresh: bool = False,
    lake_root: str | None = None,
) -> IngestionReport:
    """Fetch the movies that the lake lacks and commit them to its raw tables, batch by batch.

    Args:
        movie_ids: TMDB ids; `INGESTION_MOVIE_IDS` where none are given.
        movie_ids_file: A file of ids instead, for more than a few thousand.
        refresh: Fetch every asked id again, the absent too.
        lake_root: Folder or URL of the tables; `LAKE_ROOT` where none is given.
    """
    overrides = {"ingestion_movie_ids": movie_ids, "lake_root": lake_root}
    async with run_settings(movie_ids_file, **overrides) as settings:
        report = await ingest(settings, plan(settings, refresh))
        # A pipeline goes on with what is there, and fails at its end.
        if runtime.flow_run.parent_flow_run_id is None:
            raise_for_lost(report)
    return report


async def ingest(settings: Settings, work: WorkList) -> IngestionReport:
    """Fetch what is on a work list, as tasks of the flow that runs.

    Raises:
        TmdbError: the run had to stop; what was fetched by then is committed.
        LakeError: a batch could not be committed.
    """
    report = IngestionReport(asked=work.asked, present=work.present, absent=work.absent)
    if not work.to_fetch:
        logger.info("unchanged: all of %s movies are here or known not to exist", work.asked)
        return report
    async with open_ingestion(settings, len(work.to_fetch)) as ingestion:
        done = await fetch_all(ingestion, work, settings)
    for counts in done:
        report.add(counts.fetched, counts.failed)
    report.requests, report.retries = ingestion.client.stats.requests, ingestion.client.stats.retries
    report.commits = ingestion.committer.commits
    if report.commits and is_deployed():
        announce_landed_rows(settings.lake, _root_flow(), report.fetched, report.commits)
    if (reason := ingestion.client.stop.reason) is not None:
        left = len(work.to_fetch) - report.fetched - sum(report.failed.values())
        reason.add_note(f"{report.fetched:,} movies were fetched and are checkpointed, {left:,} are left")
        raise reason
    logger.info("%s", report)
    await await_records(len(done))
    return report


async def fetch_all(ingestion: Ingestion, work: WorkList, settings: Settings) -> list[FetchCounts]:
    """Fan the work out over tasks: a batch a task, or a small list over a few tasks that share its commit.

    Few batches are open at once: enough to keep every place in flight busy while another batch is being
    committed, and no more, since open batches are what a crash makes the next run fetch again.
    """
    size = settings.ingestion_batch_size or (
        LARGE_BATCH_SIZE if len(work.to_fetch) > LARGE_WORK_LIST else BATCH_SIZE
    )
    batches = [list(work.to_fetch[start : start + size]) for start in range(0, len(work.to_fetch), size)]
    tasks_a_batch = ceil(LEAST_TASKS / len(batches))
    open_batches = asyncio.Semaphore(ceil(settings.ingestion_concurrency / size) + 1)

    async def fetch_batch(number: int, movie_ids: list[int]) -> list[FetchCounts]:
        async with open_batches:
            if ingestion.client.stop.is_set:
                return []
            parts = _split_evenly(movie_ids, tasks_a_batch)
            with ingestion.open_batch(len(parts)) as batch_id:
                labels = [f"{number} of {len(batches)}"]
                if len(parts) > 1:
                    labels = [f"{labels[0]}, part {part}" for part in range(1, len(parts) + 1)]
                return await all_done(
                    fetch_part(label, batch_id, part) for label, part in zip(labels, parts, strict=True)
                )

    fetched = await all_done(fetch_batch(number, ids) for number, ids in enumerate(batches, 1))
    return list(chain.from_iterable(fetched))


@asynccontextmanager
async def open_ingestion(settings: Settings, movies: int) -> AsyncIterator[Ingestion]:
    """Open what the tasks of one ingestion share; without a key, the sandbox as well."""
    stop = Stop()
    async with AsyncExitStack() as stack:
        base_url, api_key, access_token = _server(settings, stack)
        client = await stack.enter_async_context(
            open_client(
                base_url,
                api_key=api_key,
                access_token=access_token,
                pace=Pace(settings.ingestion_requests_per_second, settings.ingestion_concurrency),
                concurrency=settings.ingestion_concurrency,
                policy=RetryPolicy(max_retries=settings.ingestion_max_retries),
                stop=stop,
            )
        )
        committer = Committer(settings.lake, source=source_of(settings), run_id=_run_id())
        progress = Progress(movies)
        stack.enter_context(drain_on_interrupt(stop))
        await stack.enter_async_context(progress_artifact(progress))
        yield stack.enter_context(ingestion_context(Ingestion(client, committer, progress)))


def _server(settings: Settings, stack: AsyncExitStack) -> tuple[str, str | None, str | None]:
    """Base URL, v3 key and v4 token; without a key those of a sandbox, started where none runs yet."""
    if settings.uses_sandbox:
        from tmdb.sandbox import Sandbox

        sandbox = SANDBOX.get() or stack.enter_context(Sandbox())
        return sandbox.base_url, sandbox.key, None
    key, token = settings.tmdb_api_key, settings.tmdb_access_token
    return (
        settings.tmdb_base_url or TMDB_API_URL,
        key.get_secret_value() if key else None,
        token.get_secret_value() if token else None,
    )


def _root_flow() -> str:
    is_part = runtime.flow_run.parent_flow_run_id is not None
    return PIPELINE if is_part else str(runtime.flow_run.flow_name)


def _run_id() -> str:
    # Sorts by time, so that of two batches fetched in the same instant the later run's decides.
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{str(runtime.flow_run.id or 'local')[:8]}"


def _split_evenly(movie_ids: list[int], parts: int) -> list[list[int]]:
    parts = min(parts, len(movie_ids))
    bounds = [len(movie_ids) * part // parts for part in range(parts + 1)]
    return [movie_ids[start:end] for start, end in pairwise(bounds)]
