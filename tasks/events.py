"""Events that deployments and automations act on."""

from __future__ import annotations

import logging

from prefect.events import emit_event

logger = logging.getLogger(__name__)

RAW_LANDED = "tmdb-movies.raw.landed"
LAKE = "tmdb-movies.lake"
RUN_BY = "tmdb-movies.run-by"


def announce_landed_rows(lake_root: str, run_by: str, fetched: int, commits: int) -> None:
    """Tell that an ingestion has committed rows; `run_by` is the flow that decides what follows."""
    try:
        emit_event(
            RAW_LANDED,
            resource={"prefect.resource.id": LAKE, "prefect.resource.name": lake_root, RUN_BY: run_by},
            payload={"fetched": fetched, "commits": commits},
        )
    except Exception as error:  # the rows are worth more than their news
        logger.warning("the landed rows could not be announced: %s", error)
