"""The task that writes the report of an older silver beside the current one; it writes no table."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE

from movies.lake.delta import origin_of, require_version
from movies.lake.tables import SILVER_MOVIES
from movies.report.gold import Gold
from movies.report.markdown import markdown_report
from movies.report.output_files import write_dashboard, write_plots, write_report
from movies.report.provenance import SHOWN_DIGITS, Provenance
from movies.report.themes import Theme
from stages.report_stage import source_name
from tasks.context import current_spark
from tasks.optional import optional

if TYPE_CHECKING:
    import pyarrow as pa


async def report_as_of(lake_root: str, output_dir: Path, plot_theme: Theme, silver_version: int) -> list[str]:
    """Write report, plots and dashboard of an older silver into a folder of their own; return their paths.

    Raises:
        VersionGoneError: silver has no such version, or upkeep has deleted what it needs.
    """
    folder = output_dir / f"as_of_silver_version_{silver_version}"
    paths: list[str] = await write_report_as_of(lake_root, str(folder), plot_theme, silver_version)
    return paths


@task(
    name="report-as-of", task_run_name="silver-{silver_version}", cache_policy=NO_CACHE, persist_result=False
)
async def write_report_as_of(
    lake_root: str, folder: str, plot_theme: Theme, silver_version: int
) -> list[str]:
    """Compute the KPIs of an older silver, and write report, plots and dashboard; no table is written."""
    tables, gold, provenance = await asyncio.to_thread(_compute_as_of, lake_root, silver_version)
    written = write_report(Path(folder), gold, provenance)
    drawn = await asyncio.to_thread(write_plots, Path(folder), gold, provenance, plot_theme)
    dashboard = await asyncio.to_thread(write_dashboard, Path(folder), tables, provenance)
    await show_report_as_of(gold, provenance, silver_version)
    return [str(path) for path in (*written, *drawn.values(), dashboard)]


@optional
async def show_report_as_of(gold: Gold, provenance: Provenance, silver_version: int) -> None:
    """Show the report in Prefect's UI."""
    await acreate_markdown_artifact(
        markdown_report(gold, provenance),
        key="kpi-report-as-of",
        description=f"KPIs as of silver version {silver_version}. {provenance.data}.",
    )


def _compute_as_of(lake_root: str, silver_version: int) -> tuple[Mapping[str, pa.Table], Gold, Provenance]:
    from spark.kpis import compute_kpis

    require_version(SILVER_MOVIES, lake_root, silver_version)
    with current_spark().deaths_explained():
        tables = compute_kpis(current_spark().session, lake_root, silver_version)
    gold = Gold.from_arrow(tables)
    origin = origin_of(SILVER_MOVIES, lake_root, silver_version)
    raw_version = origin.get("raw_movies_version")
    return (
        tables,
        gold,
        Provenance(
            movies=gold.movies,
            raw_version=None if raw_version is None else int(raw_version),
            silver_version=silver_version,
            code_version=origin.get("code_version", "")[:SHOWN_DIGITS] or None,
            run_id=origin.get("run_id", "")[:SHOWN_DIGITS] or None,
            source=source_name(lake_root),
        ),
    )
