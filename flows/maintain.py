"""The flow that keeps a lake fresh and quick to read."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from prefect import flow
from pydantic import Field

from flows.ingest import ingest
from flows.planning import Errand, check_lake
from flows.run_report import IngestionReport, raise_for_lost
from flows.run_settings import run_settings
from lake.errors import LakeError
from lake.inventory import read_inventory
from lake.tables import TABLES
from lake.work_list import stale_movies
from settings import Settings
from tasks.upkeep import maintain_table, show_upkeep
from tasks.waiting import all_done
from tmdb.errors import TmdbError
from tmdb.sources import Ids

logger = logging.getLogger(__name__)

# TMDB's terms: data may be kept for six months, then it is to be fetched again.
LONGEST_AGE_DAYS = 180.0
LONGEST_SECONDS = 24 * 3600


@flow(name="maintain-lake", validate_parameters=True, timeout_seconds=LONGEST_SECONDS)
async def maintain_lake(
    retention_days: Annotated[float, Field(ge=1, le=3650)] = 7,
    max_age_days: Annotated[float, Field(gt=0, le=36_500)] | None = LONGEST_AGE_DAYS,
    lake_root: str | None = None,
) -> list[dict[str, Any]]:
    """Fetch again what is older than TMDB allows, join small files, and delete those that nobody needs.

    Args:
        retention_days: How long files stay that no current version has; running jobs may still read them.
        max_age_days: Movies fetched longer ago are fetched again; none are without a value.
        lake_root: Folder or URL of the tables; `LAKE_ROOT` where none is given.
    """
    async with run_settings(lake_root=lake_root) as settings:
        refreshed = IngestionReport()
        failure: Exception | None = None
        try:
            refreshed = await refresh_old_movies(settings, max_age_days)
        except (TmdbError, LakeError) as error:
            # The tables can be kept in order all the same.
            failure = error
        upkeep = await all_done(maintain_table(table.name, settings.lake, retention_days) for table in TABLES)
        rows = [row for row in upkeep if row is not None]
        logger.info("%s tables maintained, %s movies fetched again", len(rows), refreshed.fetched)
        await show_upkeep(rows)
        if failure is not None:
            raise failure
        raise_for_lost(refreshed)
    return rows


async def refresh_old_movies(settings: Settings, max_age_days: float | None) -> IngestionReport:
    """Fetch the movies again whose payload is older than that."""
    if max_age_days is None:
        return IngestionReport()
    check_lake(settings)
    since = datetime.now(UTC) - timedelta(days=max_age_days)
    stale = stale_movies(read_inventory(settings.lake), since)
    if not stale:
        return IngestionReport()
    return await ingest(settings, Errand(Ids(movie_ids=tuple(stale)), needed_since=since))
