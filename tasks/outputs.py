"""Which files the report stage leaves, and what each part of them is made from; known without Prefect."""

from __future__ import annotations

from pathlib import Path

from movies.lake.publications import Publication
from movies.lake.tables import RAW_MOVIES
from movies.lake.work_list import find_sources
from movies.report.provenance import name_source
from movies.report.record import MadeFrom, made_files
from movies.report.themes import Theme
from tasks.code import code_version

REPORT, PLOTS, DASHBOARD = "report", "plots", "dashboard"
CODE = ("movies/lake", "movies/report", "tasks/outputs.py", "tasks/reporting.py")
LIBRARIES = ("itables", "matplotlib", "plotly", "pyarrow", "seaborn")


def source_name(lake_root: str) -> str:
    """Name what a lake's movies come from, as everything that shows figures of it does."""
    return name_source(find_sources(lake_root))


def sources(lake_root: str, plot_theme: Theme, silver: Publication, gold: Publication) -> dict[str, MadeFrom]:
    """What the files of each part are made from."""
    made_from = {
        "gold": {name: [version.table_id, version.version] for name, version in gold.outputs.items()},
        "raw_version": silver.inputs[RAW_MOVIES.name].version,
        "silver_version": next(iter(gold.inputs.values())).version,
        "kpi_code": gold.code_version,
        "fetched_until": silver.facts.get("fetched_until"),
        "run_id": gold.run_id,
        "data_quality": gold.facts.get("data_quality"),
        "source": source_name(lake_root),
        "code": code_version(CODE, LIBRARIES),
    }
    return {REPORT: made_from, PLOTS: made_from | {"plot_theme": plot_theme}, DASHBOARD: made_from}


def outputs(
    lake_root: str, output_dir: Path, plot_theme: Theme, silver: Publication, gold: Publication
) -> dict[str, list[str]]:
    """The files of each part; none of a part where one is missing or was made from something else."""
    return {
        part: made_files(output_dir, part, source)
        for part, source in sources(lake_root, plot_theme, silver, gold).items()
    }
