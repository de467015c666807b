"""Tables about a run, as artifacts in Prefect's UI."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import asdict
from typing import Any

from prefect.artifacts import acreate_table_artifact

from movies.lake.delta import LakeView, read
from movies.lake.tables import DATA_QUALITY, FETCH_FAILURES, IMDB_RATINGS, RAW_MOVIES
from movies.report.provenance import describe_data
from movies.tmdb.drift import FieldDrift
from movies.tmdb.redaction import escape_controls
from stages.report_stage import source_name
from tasks.events import announce_drift
from tasks.optional import optional
from tasks.waiting import all_done

logger = logging.getLogger(__name__)

# SQLite fails with "database is locked" if many write at once.
ARTIFACTS_AT_ONCE = 4


@optional
async def show_run(counts: list[dict[str, Any]], versions: dict[str, int], source: str) -> None:
    """Show what a run did, and the versions of the tables it read and wrote, as one artifact each."""
    read = (RAW_MOVIES.name, FETCH_FAILURES.name, IMDB_RATINGS.name)
    tables = [
        {"table": name, "version": version, "direction": "in" if name in read else "out"}
        for name, version in versions.items()
    ]
    await at_once(
        [
            acreate_table_artifact(_plain(counts), key="run", description=_outcomes(source)),
            acreate_table_artifact(
                tables, key="run-tables", description="Versions of the tables read and written"
            ),
        ]
    )


@optional
async def show_quality(lake: LakeView) -> None:
    """Show what the checks of silver found, the failed ones first."""
    found = await asyncio.to_thread(read, DATA_QUALITY, lake)
    rows = found.to_pylist() if found is not None else []
    order = {"failed": 0, "passed": 1, "skipped": 2}
    await acreate_table_artifact(
        sorted(rows, key=lambda row: (order[row["status"]], row["severity"])),
        key="data-quality",
        description=f"What the checks of silver found. {describe_data(source_name(lake))}.",
    )


@optional
async def show_ingestion(counts: list[dict[str, Any]], source: str) -> None:
    """Show the counts of an ingestion that is not part of a pipeline."""
    await acreate_table_artifact(_plain(counts), key="ingestion", description=_outcomes(source))


@optional
async def show_drift(lake_root: str, findings: Sequence[FieldDrift]) -> None:
    """Show and announce fields of payloads that TMDB does not document, if there are any."""
    if not findings:
        return
    rows = _plain([asdict(finding) for finding in findings])
    for row in rows:
        logger.warning("payloads of TMDB have changed: %s", row)
    announce_drift(lake_root, rows)
    await acreate_table_artifact(
        rows, key="schema-drift", description="What payloads had that TMDB does not document"
    )


def _outcomes(source: str) -> str:
    return f"What became of the movies. {describe_data(source)}."


def _plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Escape control characters in the texts of rows."""
    return [
        {name: escape_controls(value) if isinstance(value, str) else value for name, value in row.items()}
        for row in rows
    ]


async def at_once(creations: Iterable[Awaitable[Any]]) -> None:
    """Create artifacts, a few at a time."""
    places = asyncio.Semaphore(ARTIFACTS_AT_ONCE)

    async def create(creation: Awaitable[Any]) -> None:
        async with places:
            await creation

    await all_done(create(creation) for creation in creations)
