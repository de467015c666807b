"""The flow that keeps a lake fresh and quick to read."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import httpx
from pydantic import Field

from flows.checked import flow
from flows.ingest import ingest
from flows.lake_status import LONGEST_AGE
from flows.planning import Errand, announce_data, check_lake
from flows.run_names import name_upkeep
from flows.run_report import IngestionReport, raise_for_lost
from flows.run_settings import is_deployed, run_settings
from flows.states import concluded
from movies.lake.errors import LakeError
from movies.lake.inventory import read_inventory
from movies.lake.tables import RAW_MOVIES, TABLES
from movies.lake.work_list import stale_movies
from movies.report.formats import counted
from movies.settings import Settings
from movies.tmdb.errors import TmdbError
from movies.tmdb.sources import Ids
from tasks.events import announce_landed_rows
from tasks.pruning import KEPT_DAYS, prune_runs
from tasks.upkeep import drop_old_rows, maintain_table, show_upkeep
from tasks.waiting import all_done

logger = logging.getLogger(__name__)

LONGEST_AGE_DAYS = LONGEST_AGE / timedelta(days=1)
LONGEST_SECONDS = 24 * 3600


def describe_upkeep(rows: Sequence[Mapping[str, Any]]) -> str:
    """The message of the run's state."""
    files, dropped = (sum(row[name] for row in rows) for name in ("files_deleted", "rows_dropped"))
    return f"{counted(len(rows), 'table')} maintained, {files:,} files deleted, {dropped:,} payloads dropped"


@flow(
    name="maintain-lake",
    flow_run_name=name_upkeep,
    validate_parameters=True,
    timeout_seconds=LONGEST_SECONDS,
)
@concluded(describe_upkeep)
async def maintain_lake(
    retention_days: Annotated[float, Field(ge=1, le=3650)] = 7,
    max_age_days: Annotated[float, Field(gt=0, le=36_500)] | None = LONGEST_AGE_DAYS,
    lake_root: str | None = None,
    keep_runs_days: Annotated[float, Field(ge=1, le=36_500)] | None = KEPT_DAYS,
) -> list[dict[str, Any]]:
    """Fetch again what is older than TMDB allows, drop the old, join small files, delete those nobody needs.

    Args:
        retention_days: How long files stay that no current version has; running jobs may still read them.
        max_age_days: Movies fetched longer ago are fetched again, and payloads from then dropped; none are
            without a value.
        lake_root: Folder or URL of the tables; `LAKE_ROOT` where none is given.
        keep_runs_days: Runs of these flows that are older are deleted from Prefect, with their artifacts,
            logs and cached results, and of newer runs' pictures all but the newest three versions of each;
            nothing is without a value.
    """
    async with run_settings(lake_root=lake_root) as settings:
        announce_data(settings)
        refreshed, dropped = IngestionReport(), 0
        failure: Exception | None = None
        try:
            if max_age_days is not None:
                since = datetime.now(UTC) - timedelta(days=max_age_days)
                refreshed = await refresh_old_movies(settings, since)
                dropped = await drop_old_payloads(settings, since)
        except (TmdbError, LakeError) as error:
            # The tables can be kept in order all the same.
            failure = error
        upkeep = await all_done(maintain_table(table.name, settings.lake, retention_days) for table in TABLES)
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
        if keep_runs_days is not None:
            await prune_old_runs(keep_runs_days)
        if failure is not None:
            raise failure
        raise_for_lost(refreshed)
    return rows


async def prune_old_runs(days: float) -> None:
    """Delete old runs from Prefect; if its API refuses, the next maintenance does it."""
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


async def refresh_old_movies(settings: Settings, since: datetime) -> IngestionReport:
    """Fetch the movies again whose latest payload is from before that."""
    check_lake(settings)
    stale = stale_movies(read_inventory(settings.lake), since)
    if not stale:
        return IngestionReport()
    report = IngestionReport()
    await ingest(settings, Errand(Ids(movie_ids=tuple(stale)), needed_since=since), report)
    return report


async def drop_old_payloads(settings: Settings, since: datetime) -> int:
    """Drop the payloads from before that, once every movie with no newer one has been asked for again.

    They are superseded, of deleted movies, or of movies that could not be had again, which stay owed in
    `raw/fetch_failures`. Silver and quarantine go by what is left from the next transform on.
    """
    dropped = await drop_old_rows(RAW_MOVIES.name, settings.lake, "fetched_at", since)
    if dropped and is_deployed():
        announce_landed_rows(settings.lake, maintain_lake.name, fetched=0, commits=1, dropped=dropped)
    return dropped
