"""The status of a lake: its tables and movies, the last runs, and what the next run would do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pyarrow.compute as pc

from movies.lake.catalogue import Catalogue
from movies.lake.cursor import Cursor, read_cursor
from movies.lake.delta import LakeView, open_table, query
from movies.lake.forecast_tables import FORECAST
from movies.lake.integrity import damaged_files
from movies.lake.inventory import Inventory, read_inventory
from movies.lake.publications import find_publication
from movies.lake.repair import require_raw_files
from movies.lake.runs import PastIngestion, recent_ingestions
from movies.lake.table_names import sql_name
from movies.lake.tables import DATA_QUALITY, IMDB_RATINGS
from movies.lake.work_list import plan_work, stale_movies
from movies.settings import LONGEST_AGE_DAYS, Settings
from stages.kpis_stage import KPIS_STAGE
from stages.report_stage import report_stages
from stages.stage import TableStage, why_stale
from stages.transform_stage import transform_stage

LONGEST_AGE = timedelta(days=LONGEST_AGE_DAYS)
SHOWN_INGESTIONS = 3
# Shown only if they exist, because they are optional.
OPTIONAL = (IMDB_RATINGS, *FORECAST)
FAILED_CHECKS = 'SELECT "check", severity, value, "limit", failing_rows FROM t WHERE status = \'failed\''


@dataclass(frozen=True)
class TableStatus:
    """A table as readers see it; `newest_version` is higher if that version is not published."""

    table: str
    rows: int | None = None
    version: int | None = None
    newest_version: int | None = None
    written_at: datetime | None = None
    damaged_files: tuple[str, ...] = ()


@dataclass(frozen=True)
class MovieStatus:
    """How many movies the lake knows of, and how old their payloads are."""

    present: int
    absent: int
    deleted: int
    owed: Mapping[str, int]
    oldest_fetch: datetime | None
    newest_fetch: datetime | None
    stale: int


@dataclass(frozen=True)
class StageStatus:
    """The last publication of a stage, and the reasons to run it again; none if it is current."""

    stage: str
    published_at: datetime | None = None
    code_version: str = ""
    run_id: str = ""
    read: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    reasons_to_run: tuple[str, ...] = ()


@dataclass(frozen=True)
class LakeStatus:
    """The status of a lake at a moment."""

    lake: str
    as_of: datetime
    tables: list[TableStatus]
    movies: MovieStatus
    changes: Cursor
    ingestions: list[PastIngestion]
    stages: list[StageStatus]
    failed_checks: list[dict[str, Any]]
    to_fetch: int
    output_dir: str
    outdated_outputs: list[str]


def read_status(settings: Settings, now: datetime) -> LakeStatus:
    """Read the status from the lake, without a server or an engine.

    Raises:
        LakeError: a table cannot be read.
    """
    lake = LakeView(settings.lake)
    require_raw_files(lake)
    inventory = read_inventory(lake)
    days = settings.ingestion_max_age_days
    since = None if days is None else now - timedelta(days=days)
    stages = (transform_stage(settings.imdb_ratings is not None), KPIS_STAGE)
    return LakeStatus(
        lake=lake.root,
        as_of=now,
        tables=[*_tables(lake.root)],
        movies=_movies(inventory, now),
        changes=read_cursor(lake),
        ingestions=recent_ingestions(lake.root, SHOWN_INGESTIONS),
        stages=[_stage(stage, lake) for stage in stages],
        failed_checks=_failed_checks(lake),
        to_fetch=len(plan_work(inventory, settings.ingestion_movie_ids, needed_since=since).to_fetch),
        output_dir=str(settings.output_dir),
        outdated_outputs=_outdated_outputs(settings, lake),
    )


def _tables(lake_root: str) -> Iterator[TableStatus]:
    for table, entry in Catalogue(lake_root).entries():
        name = sql_name(table)
        if entry is None and table in OPTIONAL:
            continue
        if entry is None:
            yield TableStatus(name)
        else:
            newest = int(entry.newest.version())
            damaged = tuple(damaged_files(entry.found))
            yield TableStatus(name, entry.count_rows(), entry.version, newest, entry.written_at(), damaged)


def _movies(inventory: Inventory, now: datetime) -> MovieStatus:
    present, absent, deleted = (
        pc.sum(mask).as_py() or 0
        for mask in (inventory.is_present, inventory.is_absent, inventory.is_deleted)
    )
    oldest = inventory.oldest_fetch
    is_stale = oldest is not None and oldest < now - LONGEST_AGE
    return MovieStatus(
        present,
        absent,
        deleted,
        inventory.owed_by_reason,
        oldest,
        inventory.newest_fetch,
        len(stale_movies(inventory, now - LONGEST_AGE)) if is_stale else 0,
    )


def _outdated_outputs(settings: Settings, lake: LakeView) -> list[str]:
    """List parts of the output that are missing or were made from other tables than the published ones."""
    parts = report_stages(settings.output_dir, settings.plot_theme).values()
    return [part.name for part in parts if part.find_sources(lake) is not None and why_stale(part, lake)]


def _stage(stage: TableStage, lake: LakeView) -> StageStatus:
    reasons = tuple(why_stale(stage, lake))
    if (found := find_publication(lake, stage.name)) is None:
        return StageStatus(stage.name, reasons_to_run=reasons)
    return StageStatus(
        stage.name,
        found.published_at,
        found.code_version,
        found.run_id,
        {name: read.version for name, read in found.inputs.items()},
        found.facts,
        reasons,
    )


def _failed_checks(lake: LakeView) -> list[dict[str, Any]]:
    found = open_table(DATA_QUALITY, lake)
    if found is None or damaged_files(found):
        return []
    failed: list[dict[str, Any]] = query(found, FAILED_CHECKS).to_pylist()
    return sorted(failed, key=lambda row: (row["severity"], row["check"]))
