"""The stage that makes report, plots and dashboard from gold: three parts, each with its own files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path

from movies.lake.delta import Lake, LakeView
from movies.lake.publications import read_publications
from movies.lake.tables import RAW_MOVIES
from movies.lake.work_list import find_sources
from movies.report.provenance import name_source
from movies.report.record import MadeFrom
from movies.report.themes import Theme
from stages.code import code_version
from stages.file_stage import FileStage
from stages.names import StageName

REPORT, PLOTS, DASHBOARD = "report", "plots", "dashboard"
MODULE = "movies.report.output_files"
LIBRARIES = ("itables", "matplotlib", "plotly", "pyarrow", "seaborn")


def source_name(lake: Lake) -> str:
    """Return the name of the source of a lake's movies, for everything that shows figures."""
    return name_source(find_sources(lake))


@cache
def report_stages(output_dir: Path, plot_theme: Theme) -> Mapping[str, FileStage]:
    """Return the three parts by their names."""
    parts = {REPORT: {}, PLOTS: {"plot_theme": plot_theme}, DASHBOARD: {}}
    return {
        part: FileStage(part, output_dir, partial(_describe_sources, more=more))
        for part, more in parts.items()
    }


def _describe_sources(lake: LakeView, more: Mapping[str, str]) -> MadeFrom | None:
    publications = read_publications(lake)
    silver, gold = (publications.get(stage) for stage in (StageName.TRANSFORM, StageName.KPIS))
    if silver is None or gold is None:
        return None
    return {
        "gold": {name: [version.table_id, version.version] for name, version in gold.outputs.items()},
        "raw_version": silver.inputs[RAW_MOVIES.name].version,
        "silver_version": next(iter(gold.inputs.values())).version,
        "kpi_code": gold.code_version,
        "fetched_until": silver.facts.get("fetched_until"),
        "run_id": gold.run_id,
        "data_quality": gold.facts.get("data_quality"),
        "source": lake.know(source_name, lambda: source_name(lake)),
        "code": code_version(MODULE, LIBRARIES),
        **more,
    }
