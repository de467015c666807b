"""The task that shows a published forecast: words and pictures, as files and artifacts."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

from prefect import task
from prefect.artifacts import acreate_markdown_artifact

from movies.lake.delta import TableVersion, open_table, read, version_to_read
from movies.lake.forecast_tables import FORECAST
from movies.lake.publications import Publication
from movies.lake.table import Table
from movies.lake.tables import RAW_MOVIES, SILVER_MOVIES
from movies.report.forecast_text import ForecastTables, markdown_forecast
from movies.report.markdown import escape
from movies.report.provenance import SHOWN_DIGITS, Provenance
from movies.report.record import MadeFrom, made_files, replace_file, write_record
from movies.report.themes import Theme
from stages.code import code_version
from stages.report_stage import source_name
from tasks.caching import CACHE
from tasks.optional import optional

MODULES = ("movies.report.forecast_text", "movies.report.forecast_plots")
LIBRARIES = ("matplotlib", "numpy", "pillow", "pyarrow")
# Files of the report in an output folder.
SHOWN = "forecast"
FOLDER = "forecast"


async def show_forecast(
    lake_root: str, output_dir: Path, plot_theme: Theme, silver: Publication, made: Publication
) -> tuple[ForecastTables, list[str]]:
    """Bring report and plots up to date with a published forecast; return its tables and the paths."""
    made_from = _made_from(lake_root, silver, made) | {"plot_theme": plot_theme}
    stands = bool(made_files(output_dir, SHOWN, made_from))
    run = write_forecast_report.with_options(refresh_cache=not stands)
    paths: list[str] = await run(lake_root, str(output_dir), made_from)
    return (await asyncio.to_thread(_load, lake_root, made_from))[0], paths


@task(name="forecast-report", task_run_name="forecast-report", cache_policy=CACHE, result_serializer="json")
async def write_forecast_report(lake_root: str, output_dir: str, made_from: MadeFrom) -> list[str]:
    """Write the scores as Markdown and draw the plots, as files and in Prefect's UI."""
    from movies.report.forecast_plots import PLOTS, render

    folder = Path(output_dir)
    if paths := made_files(folder, SHOWN, made_from):
        return paths
    found, provenance = await asyncio.to_thread(_load, lake_root, made_from)
    words = markdown_forecast(found, provenance)
    written = [replace_file(folder / FOLDER / "forecast.md", words.encode())]
    await show_words(words)
    for name, plot in PLOTS.items():
        picture = await asyncio.to_thread(render, name, found, provenance, made_from["plot_theme"])
        written.append(replace_file(folder / FOLDER / f"{name}.png", picture))
        title, note = plot.describe(found)
        await show_picture(name, f"{title}. {provenance.data}.", f"{title}. {note}", picture)
    write_record(folder, SHOWN, made_from, written)
    return made_files(folder, SHOWN, made_from)


@optional
async def show_words(words: str) -> None:
    """Show the scores in Prefect's UI."""
    await acreate_markdown_artifact(
        words, key="forecast", description="The errors of the revenue forecast, and what it depends on"
    )


@optional
async def show_picture(name: str, description: str, words: str, picture: bytes) -> None:
    """Show a plot in Prefect's UI, with its finding."""
    data = base64.b64encode(picture).decode()
    await acreate_markdown_artifact(
        f"![{escape(words)}](data:image/png;base64,{data})",
        key=name.replace("_", "-"),
        description=description,
    )


def _made_from(lake_root: str, silver: Publication, made: Publication) -> dict[str, Any]:
    return {
        "tables": {name: [version.table_id, version.version] for name, version in made.outputs.items()},
        "movies": made.facts["movies"],
        "raw_version": silver.inputs[RAW_MOVIES.name].version,
        "silver_version": made.inputs[SILVER_MOVIES.name].version,
        "forecast_code": made.code_version,
        "run_id": made.run_id,
        "source": source_name(lake_root),
        "code": "-".join(code_version(module, LIBRARIES) for module in MODULES),
    }


def _load(lake_root: str, made_from: MadeFrom) -> tuple[ForecastTables, Provenance]:
    rows = [_rows(table, lake_root, made_from["tables"][table.name]) for table in FORECAST]
    return ForecastTables(*rows), Provenance(
        movies=made_from["movies"],
        raw_version=made_from["raw_version"],
        silver_version=made_from["silver_version"],
        code_version=made_from["forecast_code"][:SHOWN_DIGITS],
        run_id=made_from["run_id"][:SHOWN_DIGITS] or None,
        source=made_from["source"],
    )


def _rows(table: Table, lake_root: str, version: tuple[str, int]) -> list[dict[str, Any]]:
    found = open_table(table, lake_root)
    assert found is not None, f"{table.name} is published"
    content = read(table, lake_root, version_to_read(found, TableVersion(*version)))
    assert content is not None, f"{table.name} is published"
    rows: list[dict[str, Any]] = content.to_pylist()
    return rows
