"""The part of an ingestion that updates IMDb's ratings."""

from __future__ import annotations

import asyncio
import logging

from flows.interrupt import stop_on_signals
from flows.run_report import IngestionReport
from movies.imdb.imdb_errors import ImdbError
from movies.lake.lock import ingestion_lock
from movies.lake.tables import IMDB_RATINGS
from movies.tmdb.retry import RetryPolicy
from tasks.context import RunContext
from tasks.imdb_ratings import RatingsCounts, read_ratings

logger = logging.getLogger(__name__)


async def ingest_ratings(run: RunContext, report: IngestionReport, run_id: str) -> None:
    """Bring the lake's ratings up to date with the file in the settings, if there is one.

    If that fails and the lake has earlier ratings, the run goes on with these, and the report says what went
    wrong.

    Raises:
        ImdbError: that failed, and there are no earlier ratings.
        LakeError: the table cannot be read or written.
    """
    settings = run.settings
    location = settings.imdb_ratings
    if location is None:
        return
    waits = list(RetryPolicy(max_retries=settings.ingestion_max_retries).waits())
    try:
        async with ingestion_lock(settings.lake):
            with stop_on_signals(run.draining) as stop:
                reading = asyncio.create_task(read_ratings(settings.lake, location, run_id, waits))
                try:
                    [report.ratings] = await stop.finish([reading])
                finally:
                    reading.cancel()
                run.lake.forget()
                if stop.reason is not None:
                    raise stop.reason
    except ImdbError as error:
        from movies.lake.snapshots import read_snapshot

        kept = read_snapshot(IMDB_RATINGS, settings.lake)
        if kept is None:
            raise
        logger.warning("%s. The earlier ratings stay", error)
        report.ratings = RatingsCounts(kept.rows, kept.refused)
        report.ratings_error = str(error)
