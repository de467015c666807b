"""The report and plot tasks, from published gold tables to files and artifacts.

Cached like the Spark tasks: a hit counts only while every file is in place and made from that gold.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefect import task
from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact

from lake.delta import TableVersion, open_table, read, version_to_read
from lake.publications import Publication
from lake.tables import GOLD, SILVER_MOVIES, Table
from report.files import write_plots, write_report
from report.gold import Gold
from report.markdown import escape, markdown_report
from report.provenance import Provenance
from report.record import made_files, write_record
from report.sections import Table as ReportTable
from report.sections import build_rankings
from tasks.analytics import MissingInputError
from tasks.caching import CACHE, code_version
from tasks.showing import at_once
from tasks.waiting import all_done

if TYPE_CHECKING:
    import pyarrow as pa

logger = logging.getLogger(__name__)

REPORT, PLOTS = "report", "plots"
CODE = ("lake", "report", "tasks/reporting.py")
# More would be cut at the right of Prefect's UI, beside a long title.
SHOWN_COLUMNS = 5
LIBRARIES = ("matplotlib", "pyarrow", "seaborn")
# What files are made from, in the strings and numbers that a cache key needs.
MadeFrom = dict[str, Any]


def outputs(output_dir: Path, silver: Publication, gold: Publication) -> list[str]:
    """The files of report and plots, if they are all in place and made from just these tables; else none."""
    made_from = _made_from(silver, gold)
    paths = [made_files(output_dir, part, made_from) for part in (REPORT, PLOTS)]
    return [path for part in paths for path in part] if all(paths) else []


async def report(lake_root: str, output_dir: Path, silver: Publication, gold: Publication) -> list[str]:
    """Bring the report and the plots up to date with the published gold tables; return their paths."""
    if gold.inputs.get(SILVER_MOVIES.name) != silver.outputs[SILVER_MOVIES.name]:
        raise MissingInputError("The gold tables are older than silver: run the stage 'kpis' first")
    made_from = _made_from(silver, gold)

    async def bring_up_to_date(part_task: Any, part: str) -> list[str]:
        run = part_task.with_options(refresh_cache=not made_files(output_dir, part, made_from))
        paths: list[str] = await run(lake_root, str(output_dir), made_from)
        return paths

    parts = ((write_kpi_report, REPORT), (draw_plots, PLOTS))
    paths = await all_done(bring_up_to_date(*part) for part in parts)
    return [path for part in paths for path in part]


@task(name=REPORT, task_run_name=REPORT, cache_policy=CACHE, result_serializer="json")
async def write_kpi_report(lake_root: str, output_dir: str, made_from: MadeFrom) -> list[str]:
    """Write the KPI report as text and markdown, and show it and the rankings in Prefect's UI."""
    folder = Path(output_dir)
    # Prefect may have lost its cached result while the files are there.
    if paths := made_files(folder, REPORT, made_from):
        return paths
    gold, provenance = await asyncio.to_thread(_load, lake_root, made_from)
    written = write_report(folder, gold, provenance)
    await show_report(gold, provenance)
    write_record(folder, REPORT, made_from, written)
    logger.info("report of %s movies in %s", gold.movies, folder)
    return made_files(folder, REPORT, made_from)


@task(name=PLOTS, task_run_name=PLOTS, cache_policy=CACHE, result_serializer="json")
async def draw_plots(lake_root: str, output_dir: str, made_from: MadeFrom) -> list[str]:
    """Draw the plots as files, and show each in Prefect's UI."""
    folder = Path(output_dir)
    if paths := made_files(folder, PLOTS, made_from):
        return paths
    gold, provenance = await asyncio.to_thread(_load, lake_root, made_from)
    drawn = await asyncio.to_thread(write_plots, folder, gold, provenance)
    await show_plots(drawn, gold)
    write_record(folder, PLOTS, made_from, drawn.values())
    logger.info("%s plots in %s", len(drawn), folder)
    return made_files(folder, PLOTS, made_from)


async def show_report(gold: Gold, provenance: Provenance) -> None:
    """Show the report and each ranking in Prefect's UI, with figures and headings as the report has them."""
    await acreate_markdown_artifact(
        markdown_report(gold, provenance), key="kpi-report", description="KPIs of the movies in the lake"
    )
    await at_once(
        acreate_table_artifact(
            _cells(table),
            key=_key("ranking", name),
            description=f"{table.title} · {provenance.caption}",
        )
        for name, table in build_rankings(gold).items()
    )


async def show_plots(drawn: Mapping[str, Path], gold: Gold) -> None:
    """Show each plot in Prefect's UI, with what it finds."""
    from report.plots import PLOTS, describe

    await at_once(
        acreate_markdown_artifact(
            _picture(describe(name, gold), path),
            key=_key("plot", name),
            description=f"{PLOTS[name].title(gold)}.",
        )
        for name, path in drawn.items()
    )


def _made_from(silver: Publication, gold: Publication) -> MadeFrom:
    return {
        "gold": {name: [version.table_id, version.version] for name, version in gold.outputs.items()},
        "silver_version": next(iter(gold.inputs.values())).version,
        "fetched_until": silver.facts.get("fetched_until"),
        "run_id": gold.run_id,
        "code": code_version(CODE, LIBRARIES),
    }


def _load(lake_root: str, made_from: MadeFrom) -> tuple[Gold, Provenance]:
    tables = {table.name: _read(table, lake_root, made_from["gold"][table.name]) for table in GOLD}
    gold = Gold.from_arrow(tables)
    fetched_until = made_from["fetched_until"]
    return gold, Provenance(
        movies=gold.movies,
        silver_version=made_from["silver_version"],
        run_id=made_from["run_id"][:8] or None,
        fetched_until=datetime.fromisoformat(fetched_until) if fetched_until else None,
    )


def _read(table: Table, lake_root: str, published: tuple[str, int]) -> pa.Table:
    found = open_table(table, lake_root)
    assert found is not None, f"{table.name} is published"
    return read(table, lake_root, version_to_read(found, TableVersion(*published)))


def _cells(table: ReportTable) -> list[dict[str, str]]:
    """Rows by headings: the rank, the movie, and the first figures, which the ranking is about."""
    headings = [column.title for column in table.columns[:SHOWN_COLUMNS]]
    return [dict(zip(headings, row, strict=False)) for row in table.rows]


def _picture(words: str, path: Path) -> str:
    # An image artifact prints its whole URL below the picture; in markdown it is a picture alone.
    data = base64.b64encode(path.read_bytes()).decode()
    return f"![{escape(words)}](data:image/png;base64,{data})"


def _key(kind: str, name: str) -> str:
    return f"{kind}-{name.replace('_', '-')}"
