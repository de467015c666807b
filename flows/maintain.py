"""The flow `maintain-lake`, which keeps a lake fresh and fast to read."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from flows.checked import flow
from flows.ingest import ingest
from flows.planning import announce_data, check_lake
from flows.request import IngestRequest, MaintainRequest
from flows.run_names import name_upkeep
from flows.run_report import IngestionReport, raise_for_lost
from flows.run_settings import is_deployed, run_of
from movies.lake.all_tables import tables_of
from movies.lake.inventory import read_inventory
from movies.lake.lake_errors import LakeError
from movies.lake.tables import RAW_MOVIES
from movies.lake.work_list import stale_movies
from movies.report.formats import counted
from movies.settings import Settings
from movies.tmdb.tmdb_errors import TmdbError
from tasks.context import RunContext
from tasks.events import announce_landed_rows
from tasks.pruning import prune_runs
from tasks.table_upkeep import drop_old_rows, maintain_table, show_upkeep
from tasks.waiting import all_done

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 24 * 3600


def describe_upkeep(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the message of the run's state."""
    files, dropped = (sum(row[name] for row in rows) for name in ("files_deleted", "rows_dropped"))
    return f"{counted(len(rows), 'table')} maintained, {files:,} files deleted, {dropped:,} payloads dropped"


@flow(
    MaintainRequest,
    describe_upkeep,
    name="maintain-lake",
    flow_run_name=name_upkeep,
    timeout_seconds=LONGEST_SECONDS,
)
async def maintain_lake(request: MaintainRequest) -> list[dict[str, Any]]:
    """Fetch old movies again, drop old payloads, join small files, and delete files that no one needs."""
    async with run_of(request) as run:
        settings = run.settings
        announce_data(run)
        refreshed, dropped = IngestionReport(), 0
        failure: Exception | None = None
        try:
            if request.max_age_days is not None:
                since = datetime.now(UTC) - timedelta(days=request.max_age_days)
                refreshed = await refresh_old_movies(run, since)
                dropped = await drop_old_payloads(settings, since)
        except (TmdbError, LakeError) as error:
            # The tables can be maintained nevertheless.
            failure = error
        upkeep = await all_done(
            maintain_table(table, settings.lake, request.retention_days) for table in tables_of(settings.lake)
        )
        rows = [
            row | {"rows_dropped": dropped if row["table"] == RAW_MOVIES.name else 0}
            for row in upkeep
            if row is not None
        ]
        logger.info(
            "%s tables maintained, %s movies fetched again, %s old payloads dropped",
            len(rows),
            refreshed.fetched,
            dropped,
        )
        await show_upkeep(rows)
        if request.keep_runs_days is not None:
            await prune_old_runs(request.keep_runs_days)
        if failure is not None:
            raise failure
        raise_for_lost(refreshed)
    return rows


async def prune_old_runs(days: float) -> None:
    """Delete old runs from Prefect; if its API fails, leave them to the next maintenance."""
    try:
        pruned = await prune_runs(days)
    except httpx.HTTPError as error:
        logger.warning("Old runs could not be deleted from Prefect: %s", error)
    else:
        logger.info(
            "deleted from Prefect: %s old runs with %s artifacts, %s replaced pictures, %s cached results",
            pruned.runs,
            pruned.artifacts,
            pruned.pictures,
            pruned.results,
        )


async def refresh_old_movies(run: RunContext, since: datetime) -> IngestionReport:
    """Fetch the movies again whose latest payload is older."""
    check_lake(run.settings, run.lake)
    report = IngestionReport()
    if stale := stale_movies(read_inventory(run.settings.lake), since):
        await ingest(run, IngestRequest(movie_ids=list(stale)), report, fetched_since=since)
    return report


async def drop_old_payloads(settings: Settings, since: datetime) -> int:
    """Drop older payloads, after every movie without a newer one has been requested again.

    They are superseded, or belong to movies that are deleted or could not be fetched again; the latter stay
    pending in `raw/fetch_failures`. The next transform brings silver and quarantine up to date.
    """
    dropped = await drop_old_rows(RAW_MOVIES, settings.lake, "fetched_at", since)
    if dropped and is_deployed():
        announce_landed_rows(settings.lake, maintain_lake.name, fetched=0, commits=1, dropped=dropped)
    return dropped
