"""The flow `ingest-movies`, which fetches movies from TMDB into the raw tables."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime
from itertools import chain, pairwise
from math import ceil
from time import monotonic

from prefect import runtime

from flows.checked import flow
from flows.connection import Connection
from flows.failure import sentence
from flows.interrupt import stop_on_signals
from flows.planning import (
    announce_data,
    check_lake,
    check_ratings,
    followed_until,
    plan,
    read_position,
    source_of,
)
from flows.ratings_ingestion import ingest_ratings
from flows.request import IngestRequest
from flows.run_names import name_ingestion
from flows.run_report import IngestionReport, raise_for_lost
from flows.run_settings import is_deployed, run_of
from movies.lake.changed_movies import find_gone
from movies.lake.checkpoints import Committer
from movies.lake.cursor import mark_begun, move_cursor
from movies.lake.inventory import Inventory, read_inventory
from movies.lake.lock import ingestion_lock
from movies.lake.tables import FETCH_FAILURES, RAW_MOVIES
from movies.lake.upkeep import redate_future
from movies.lake.work_list import WorkList
from movies.settings import Settings
from movies.tmdb.clock import TOLERANCE, Clock
from movies.tmdb.sources import Found
from movies.tmdb.stop import Stop
from movies.tmdb.tmdb_errors import BudgetSpent, OutageError, StoppedError
from tasks.context import Ingestion, RunContext, ingestion_context
from tasks.events import announce_ingestion, announce_landed_rows
from tasks.fetch import FetchCounts, await_records, fetch_part
from tasks.progress import Progress, progress_artifact
from tasks.shared_pace import OwnPace
from tasks.showing import show_drift, show_ingestion
from tasks.waiting import all_done

logger = logging.getLogger(__name__)

PIPELINE = "movie-pipeline"
# A million movies at 40 a second take seven hours.
LONGEST_SECONDS = 24 * 3600
# Even the smallest work list is fetched by this many concurrent tasks, which share one commit.
LEAST_TASKS = 5
BATCH_SIZE, LARGE_BATCH_SIZE, LARGE_WORK_LIST = 100, 1_000, 10_000


@flow(
    IngestRequest,
    IngestionReport.headline,
    name="ingest-movies",
    flow_run_name=name_ingestion,
    timeout_seconds=LONGEST_SECONDS,
)
async def ingest_movies(request: IngestRequest) -> IngestionReport:
    """Fetch the movies that the lake lacks and commit them to its raw tables, batch by batch."""
    async with run_of(request) as run:
        settings, source_name = run.settings, announce_data(run)
        check_ratings(settings)
        report = IngestionReport()
        try:
            await ingest(run, request, report)
        except OutageError as outage:
            # A pipeline goes on with what the lake has, and fails at its end.
            report.outage, report.stopped = sentence(outage), "TMDB did not answer"
            logger.error("%s", report.outage)
        await ingest_ratings(run, report, _run_id())
        if report.ratings is not None and report.ratings.is_new and is_deployed():
            announce_landed_rows(settings.lake, _root_flow(), fetched=0, commits=1)
        if runtime.flow_run.parent_flow_run_id is None:
            await show_ingestion(report.rows(), source_name)
            raise_for_lost(report)
    return report


async def ingest(
    run: RunContext, request: IngestRequest, report: IngestionReport, fetched_since: datetime | None = None
) -> None:
    """Fetch the requested movies that the lake lacks, as tasks of the current flow; fill in the report.

    With `fetched_since`, movies that were fetched earlier are fetched again.

    Raises:
        TmdbError: the run had to stop; what was fetched by then is committed.
        LakeError: a batch could not be committed.
    """
    began, settings = monotonic(), run.settings
    async with ingestion_lock(settings.lake), AsyncExitStack() as stack:
        # Another run may have committed since the lake was first read.
        run.lake.refresh(RAW_MOVIES, FETCH_FAILURES)
        check_lake(settings, run.lake)
        stop = stack.enter_context(stop_on_signals(run.draining))
        stack.enter_context(stop_after(stop, request.max_minutes))
        connection = Connection(
            settings,
            stop,
            stack,
            max_requests=request.max_requests,
            shares_ceiling=not run.has_temporary_api,
            sandbox=run.sandbox,
        )
        try:
            await fetch_lacking(run, request, connection, report, fetched_since)
        except StoppedError:
            report.stopped = "before it was known which movies to fetch"
        await _conclude(run, connection, report, monotonic() - began)


async def fetch_lacking(
    run: RunContext,
    request: IngestRequest,
    connection: Connection,
    report: IngestionReport,
    fetched_since: datetime | None,
) -> None:
    """List the ids of the source, fetch the missing movies, and then move the change cursor."""
    settings = run.settings
    inventory = read_inventory(run.lake, run.inventory)
    found, work = await find_work(run, request, connection, inventory, fetched_since)
    report.asked, report.present, report.absent = work.asked, work.present, work.absent
    report.refused_lines = found.refused
    if work.to_fetch:
        client = await connection.client()
        committer = Committer(
            settings.lake,
            source=source_of(settings),
            run_id=_run_id(),
            marks=[mark_begun(found.begun)] if found.begun else [],
            planned_at=inventory.versions[0],
        )
        progress = Progress(len(work.to_fetch), client.stats, run.show_progress)
        with ingestion_context(Ingestion(client, committer, progress)) as ingestion:
            async with progress_artifact(progress):
                done = await fetch_all(ingestion, connection.share, work, settings)
        for counts in done:
            report.add(counts.fetched, counts.failed)
        report.commits = committer.commits
        report.left = len(work.to_fetch) - report.fetched - sum(report.failed.values())
        if "not_found" in report.failed:
            gone = find_gone(settings.lake, inventory.versions[1])
            report.has_gone = gone is None or len(gone) > 0
    else:
        logger.info("unchanged: all of %s movies are here or not at TMDB", work.asked)
    if connection.was_used:
        _redate_future(settings, inventory, (await connection.client()).clock)
    if work.to_fetch or found.followed is not None:
        run.lake.forget()
    if found.followed is not None and not report.left:
        report.followed, report.not_followed = followed_until(settings, found)
        move_cursor(settings.lake, report.followed)
    if work.to_fetch:
        await await_records(len(done))


def _redate_future(settings: Settings, inventory: Inventory, clock: Clock) -> None:
    """Redate rows from the future, so that later fetches supersede them."""
    moment, now = inventory.newest_moment, clock.now() + TOLERANCE
    if moment is None or moment <= now or not clock.is_confirmed:
        return
    for table, column in ((RAW_MOVIES, "fetched_at"), (FETCH_FAILURES, "failed_at")):
        if redated := redate_future(table, settings.lake, column, now):
            logger.warning(
                "%s rows of %s had a time in the future from a wrong clock: any later fetch now "
                "supersedes them",
                f"{redated:,}",
                table.name,
            )


async def find_work(
    run: RunContext,
    request: IngestRequest,
    connection: Connection,
    inventory: Inventory,
    fetched_since: datetime | None = None,
) -> tuple[Found, WorkList]:
    """List the ids of the source, without those that the lake has.

    Raises:
        StoppedError: the run stops first; pending requests are abandoned.
    """
    source = request.build_source(run.settings)
    asking = asyncio.create_task(source.find(connection, read_position(run.lake, inventory)))
    try:
        [found] = await connection.stop.finish([asking])
    finally:
        asking.cancel()
    if found is None:
        raise StoppedError("listing the ids failed after the run had stopped")
    work = plan(run.settings, inventory, found, refresh=request.refresh, fetched_since=fetched_since)
    return found, work


async def look_ahead(run: RunContext, request: IngestRequest) -> WorkList:
    """List what an ingestion would fetch; sources at TMDB are requested for that."""
    check_lake(run.settings, run.lake, repairs=False)
    async with AsyncExitStack() as stack:
        connection = Connection(run.settings, Stop(), stack)
        _, work = await find_work(run, request, connection, read_inventory(run.lake))
    return work


async def _conclude(run: RunContext, connection: Connection, report: IngestionReport, seconds: float) -> None:
    """Log what was done; raise the error that stopped the run unless it was a limit of the request."""
    settings = run.settings
    if connection.was_used:
        client = await connection.client()
        report.requests, report.retries = client.stats.requests, client.stats.retries
        report.errors = dict(client.stats.errors)
        if wanted := connection.concurrency_to_set:
            report.held_back = (
                f"limited by INGESTION_CONCURRENCY={settings.ingestion_concurrency}: "
                f"set {wanted} to reach the rate"
            )
            logger.warning("this run was %s", report.held_back)
        await show_drift(settings.lake, client.drift.findings)
    # Deleted movies change the analytics as new ones do.
    if (report.commits or report.has_gone) and is_deployed():
        announce_landed_rows(settings.lake, _root_flow(), report.fetched, report.commits)
    if report.requests and not run.has_temporary_api:
        announce_ingestion(settings.lake, report.metrics(seconds))
    if isinstance(reason := connection.stop.reason, BudgetSpent):
        report.stopped = f"{reason}; the next run goes on from here"
    elif reason is not None:
        reason.add_note(
            f"{report.fetched:,} movies were fetched and are checkpointed, {report.left:,} are left"
        )
        raise reason
    logger.info("%s", report.sentence())


@contextmanager
def stop_after(stop: Stop, minutes: float | None) -> Iterator[None]:
    """Stop the run after this many minutes."""
    if minutes is None:
        yield
        return
    reason = BudgetSpent(f"the {minutes:g} minutes of this run are used up")
    timer = asyncio.get_running_loop().call_later(minutes * 60, stop.set, reason)
    try:
        yield
    finally:
        timer.cancel()


async def fetch_all(
    ingestion: Ingestion, share: OwnPace, work: WorkList, settings: Settings
) -> list[FetchCounts]:
    """Distribute the work over tasks: one per batch, or a few that share the commit of a small list.

    Only as many batches are open as keep every connection busy while one batch is being committed, because a
    crash makes the next run fetch open batches again.
    """
    size = settings.ingestion_batch_size or (
        LARGE_BATCH_SIZE if len(work.to_fetch) > LARGE_WORK_LIST else BATCH_SIZE
    )
    batches = ceil(len(work.to_fetch) / size)
    tasks_a_batch = ceil(LEAST_TASKS / batches)
    open_batches = asyncio.Semaphore(ceil(settings.ingestion_concurrency / size) + 1)

    async def fetch_batch(number: int) -> list[FetchCounts]:
        async with open_batches:
            if ingestion.client.stop.is_set:
                return []
            await share.take_share()
            movie_ids = work.to_fetch[(number - 1) * size : number * size].tolist()
            parts = _split_evenly(movie_ids, tasks_a_batch)
            with ingestion.open_batch(len(parts)) as batch_id:
                labels = [f"{number} of {batches}"]
                if len(parts) > 1:
                    labels = [f"{labels[0]}, part {part}" for part in range(1, len(parts) + 1)]
                return await all_done(
                    fetch_part(label, batch_id, part) for label, part in zip(labels, parts, strict=True)
                )

    fetched = await all_done(fetch_batch(number) for number in range(1, batches + 1))
    return list(chain.from_iterable(fetched))


def _root_flow() -> str:
    is_part = runtime.flow_run.parent_flow_run_id is not None
    return PIPELINE if is_part else str(runtime.flow_run.flow_name)


def _run_id() -> str:
    # Sorts by time: if two batches were fetched in the same instant, that of the later run wins.
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{str(runtime.flow_run.id or 'local')[:8]}"


def _split_evenly(movie_ids: list[int], parts: int) -> list[list[int]]:
    parts = min(parts, len(movie_ids))
    bounds = [len(movie_ids) * part // parts for part in range(parts + 1)]
    return [movie_ids[start:end] for start, end in pairwise(bounds)]
