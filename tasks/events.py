"""Events that deployments and automations act on."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from prefect.events import emit_event

logger = logging.getLogger(__name__)

RAW_LANDED = "tmdb-movies.raw.landed"
INGESTION_ENDED = "tmdb-movies.ingestion.ended"
SCHEMA_DRIFTED = "tmdb-movies.schema.drifted"
LAKE = "tmdb-movies.lake"
RUN_BY = "tmdb-movies.run-by"


def announce_landed_rows(lake_root: str, run_by: str, fetched: int, commits: int, dropped: int = 0) -> None:
    """Tell that the raw movies are others than before; `run_by` is the flow that decides what follows."""
    numbers = {"fetched": fetched, "commits": commits, "dropped": dropped}
    _announce(RAW_LANDED, lake_root, numbers, **{RUN_BY: run_by})


def announce_ingestion(lake_root: str, metrics: Mapping[str, Any]) -> None:
    """Tell how an ingestion went, in numbers."""
    _announce(INGESTION_ENDED, lake_root, metrics)


def announce_drift(lake_root: str, findings: Sequence[Mapping[str, Any]]) -> None:
    """Tell what payloads had that TMDB does not document."""
    _announce(SCHEMA_DRIFTED, lake_root, {"findings": list(findings)})


def _announce(event: str, lake_root: str, payload: Mapping[str, Any], **labels: str) -> None:
    resource = {"prefect.resource.id": LAKE, "prefect.resource.name": lake_root, **labels}
    try:
        emit_event(event, resource=resource, payload=dict(payload))
    except Exception as error:  # what happened is worth more than its news
        logger.warning("%s could not be announced: %s", event, error)
