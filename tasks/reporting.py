"""The report, plot and dashboard tasks, from published gold tables to files and artifacts.

They are cached like the Spark tasks: a cached result is used only if every file exists and was made from that
gold.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefect import Task, task
from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact

from movies.lake.delta import (
    TableVersion,
    content_version,
    open_table,
    read,
    version_to_read,
)
from movies.lake.publications import read_publications
from movies.lake.table import Table
from movies.lake.tables import DATA_QUALITY, SILVER_MOVIES
from movies.report.dashboard import DASHBOARD_TABLES
from movies.report.formats import counted
from movies.report.gold import REPORT_TABLES, Gold
from movies.report.markdown import escape, markdown_report
from movies.report.output_files import write_dashboard, write_plots, write_report
from movies.report.provenance import SHOWN_DIGITS, Provenance
from movies.report.record import MadeFrom, made_files, write_record
from movies.report.sections import TextTable, build_rankings
from stages.file_stage import FileStage
from stages.names import StageName
from stages.report_stage import DASHBOARD, PLOTS, REPORT
from stages.stage import why_stale
from tasks.caching import CACHE
from tasks.context import current_run
from tasks.optional import optional
from tasks.showing import at_once
from tasks.spark_tables import MissingInputError
from tasks.waiting import all_done

if TYPE_CHECKING:
    import pyarrow as pa

logger = logging.getLogger(__name__)

# More would be cut at the right of Prefect's UI, beside a long title.
SHOWN_COLUMNS = 5


async def report(stages: Mapping[str, FileStage]) -> tuple[list[str], bool]:
    """Bring report, plots and dashboard up to date with the published gold tables.

    Returns:
        Their paths, and whether any of them was made.

    Raises:
        MissingInputError: the gold tables are older than silver.
    """
    lake = current_run().lake
    publications = read_publications(lake)
    silver, gold = publications[StageName.TRANSFORM], publications[StageName.KPIS]
    if gold.inputs.get(SILVER_MOVIES.name) != silver.outputs[SILVER_MOVIES.name]:
        raise MissingInputError("The gold tables are older than silver. Run the stage 'kpis' first")

    async def bring_up_to_date(stage: FileStage) -> tuple[list[str], bool]:
        is_stale = bool(why_stale(stage, lake))
        run = TASKS[stage.name].with_options(refresh_cache=is_stale)
        return await run(lake.root, str(stage.output_dir), stage.find_sources(lake)), is_stale

    done = await all_done(bring_up_to_date(stage) for stage in stages.values())
    return [path for paths, _ in done for path in paths], any(is_made for _, is_made in done)


@task(name=REPORT, task_run_name=REPORT, cache_policy=CACHE, result_serializer="json")
async def write_kpi_report(lake_root: str, output_dir: str, made_from: MadeFrom) -> list[str]:
    """Write the KPI report as text and markdown, and show it and the rankings in Prefect's UI."""
    folder = Path(output_dir)
    # Prefect may have lost its cached result although the files exist.
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
    drawn = await asyncio.to_thread(write_plots, folder, gold, provenance, made_from["plot_theme"])
    await show_plots(drawn, gold, provenance)
    write_record(folder, PLOTS, made_from, drawn.values())
    logger.info("%s plots in %s", len(drawn), folder)
    return made_files(folder, PLOTS, made_from)


@task(name=DASHBOARD, task_run_name=DASHBOARD, cache_policy=CACHE, result_serializer="json")
async def make_dashboard(lake_root: str, output_dir: str, made_from: MadeFrom) -> list[str]:
    """Write the dashboard's file, and link it in Prefect's UI."""
    folder = Path(output_dir)
    if paths := made_files(folder, DASHBOARD, made_from):
        return paths
    tables, provenance = await asyncio.to_thread(_load_tables, lake_root, made_from, DASHBOARD_TABLES)
    quality = await asyncio.to_thread(_read_quality, lake_root, made_from)
    written = await asyncio.to_thread(write_dashboard, folder, tables, provenance, quality)
    await show_dashboard(written, provenance)
    write_record(folder, DASHBOARD, made_from, [written])
    logger.info("dashboard of %s movies in %s", provenance.movies, written)
    return made_files(folder, DASHBOARD, made_from)


TASKS: Mapping[str, Task[..., Any]] = {REPORT: write_kpi_report, PLOTS: draw_plots, DASHBOARD: make_dashboard}


@optional
async def show_report(gold: Gold, provenance: Provenance) -> None:
    """Show the report and each ranking in Prefect's UI, with figures and headings as the report has them."""
    await acreate_markdown_artifact(
        markdown_report(gold, provenance),
        key="kpi-report",
        description=f"KPIs of the movies in the lake. {provenance.data}.",
    )
    await at_once(
        acreate_table_artifact(
            _cells(table),
            key=_key("ranking", name),
            description=f"{table.title} · {provenance.caption}",
        )
        for name, table in build_rankings(gold).items()
    )


@optional
async def show_plots(drawn: Mapping[str, Path], gold: Gold, provenance: Provenance) -> None:
    """Show each plot in Prefect's UI, with its finding."""
    from movies.report.plots import describe, headline

    await at_once(
        acreate_markdown_artifact(
            _picture(describe(name, gold), path),
            key=_key("plot", name),
            description=f"{headline(name, gold)}. {provenance.data}.",
        )
        for name, path in drawn.items()
    )


@optional
async def show_dashboard(written: Path, provenance: Provenance) -> None:
    """Link the dashboard in Prefect's UI."""
    # Pages from a server may not open local files, so the path is shown for copying, too.
    await acreate_markdown_artifact(
        f"The [dashboard]({written.absolute().as_uri()}) is one file, to be opened in a browser or sent to "
        f"somebody:\n\n```text\n{written.absolute()}\n```\n\n{escape(provenance.caption)}",
        key=DASHBOARD,
        description=f"Dashboard of {counted(provenance.movies, 'movie')}. {provenance.data}.",
    )


def _load(lake_root: str, made_from: MadeFrom) -> tuple[Gold, Provenance]:
    tables, provenance = _load_tables(lake_root, made_from, REPORT_TABLES)
    return Gold.from_arrow(tables), provenance


def _load_tables(
    lake_root: str, made_from: MadeFrom, wanted: Iterable[Table]
) -> tuple[dict[str, pa.Table], Provenance]:
    tables = {table.name: _read(table, lake_root, made_from["gold"][table.name]) for table in wanted}
    fetched_until = made_from["fetched_until"]
    return tables, Provenance(
        movies=Gold.from_arrow(tables).movies,
        raw_version=made_from["raw_version"],
        silver_version=made_from["silver_version"],
        code_version=made_from["kpi_code"][:SHOWN_DIGITS],
        run_id=made_from["run_id"][:SHOWN_DIGITS] or None,
        fetched_until=datetime.fromisoformat(fetched_until) if fetched_until else None,
        source=made_from["source"],
    )


def _read(table: Table, lake_root: str, published: tuple[str, int]) -> pa.Table:
    found = open_table(table, lake_root)
    assert found is not None, f"{table.name} is published"
    return read(table, lake_root, version_to_read(found, TableVersion(*published)))


def _read_quality(lake_root: str, made_from: MadeFrom) -> pa.Table | None:
    """Return what the checks found when gold was made, or None if that table has changed since."""
    found = open_table(DATA_QUALITY, lake_root)
    if found is None or made_from["data_quality"] is None:
        return None
    checked = TableVersion(**made_from["data_quality"])
    if content_version(found) != checked:
        return None
    return read(DATA_QUALITY, lake_root)


def _cells(table: TextTable) -> list[dict[str, str]]:
    """Return rows by headings: the rank, the movie, and the figures of the ranking."""
    headings = [column.title for column in table.columns[:SHOWN_COLUMNS]]
    return [dict(zip(headings, row, strict=False)) for row in table.rows]


def _picture(words: str, path: Path) -> str:
    # An image artifact prints its whole URL below the picture; in markdown it is a picture alone.
    data = base64.b64encode(path.read_bytes()).decode()
    return f"![{escape(words)}](data:image/png;base64,{data})"


def _key(kind: str, name: str) -> str:
    return f"{kind}-{name.replace('_', '-')}"
