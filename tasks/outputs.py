"""Which files the report stage leaves, and what each part of them is made from; known without Prefect."""

from __future__ import annotations

from pathlib import Path

from lake.publications import Publication
from lake.tables import RAW_MOVIES
from report.record import MadeFrom, made_files
from report.themes import Theme
from tasks.code import code_version

REPORT, PLOTS, DASHBOARD = "report", "plots", "dashboard"
CODE = ("lake", "report", "tasks/outputs.py", "tasks/reporting.py")
LIBRARIES = ("itables", "matplotlib", "plotly", "pyarrow", "seaborn")


def sources(plot_theme: Theme, silver: Publication, gold: Publication) -> dict[str, MadeFrom]:
    """What the files of each part are made from."""
    made_from = {
        "gold": {name: [version.table_id, version.version] for name, version in gold.outputs.items()},
        "raw_version": silver.inputs[RAW_MOVIES.name].version,
        "silver_version": next(iter(gold.inputs.values())).version,
        "kpi_code": gold.code_version,
        "fetched_until": silver.facts.get("fetched_until"),
        "run_id": gold.run_id,
        "data_quality": gold.facts.get("data_quality"),
        "code": code_version(CODE, LIBRARIES),
    }
    return {REPORT: made_from, PLOTS: made_from | {"plot_theme": plot_theme}, DASHBOARD: made_from}


def outputs(
    output_dir: Path, plot_theme: Theme, silver: Publication, gold: Publication
) -> dict[str, list[str]]:
    """The files of each part; none of a part where one is missing or was made from something else."""
    return {
        part: made_files(output_dir, part, source)
        for part, source in sources(plot_theme, silver, gold).items()
    }
