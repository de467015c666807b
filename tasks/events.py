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
    """Announce that the raw movies have changed; `run_by` is the flow that runs the next stages, if any."""
    numbers = {"fetched": fetched, "commits": commits, "dropped": dropped}
    _announce(RAW_LANDED, lake_root, numbers, **{RUN_BY: run_by})


def announce_ingestion(lake_root: str, metrics: Mapping[str, Any]) -> None:
    """Announce the counts of an ingestion."""
    _announce(INGESTION_ENDED, lake_root, metrics)


def announce_drift(lake_root: str, findings: Sequence[Mapping[str, Any]]) -> None:
    """Announce fields of payloads that TMDB does not document."""
    _announce(SCHEMA_DRIFTED, lake_root, {"findings": list(findings)})


def _announce(event: str, lake_root: str, payload: Mapping[str, Any], **labels: str) -> None:
    resource = {"prefect.resource.id": LAKE, "prefect.resource.name": lake_root, **labels}
    try:
        emit_event(event, resource=resource, payload=dict(payload))
    except Exception as error:  # a lost event must not fail the run
        logger.warning("%s could not be announced: %s", event, error)
