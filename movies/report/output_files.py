"""Write the files of the report; each is replaced in one step, so readers never see a part of one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from movies.report.gold import Gold
from movies.report.markdown import markdown_report
from movies.report.provenance import Provenance
from movies.report.record import replace_file
from movies.report.text import text_report
from movies.report.themes import Theme

if TYPE_CHECKING:
    import pyarrow as pa

TEXT_NAME = "kpi_analysis.txt"
MARKDOWN_NAME = "kpi_analysis.md"
PLOTS_FOLDER = "plots"
DASHBOARD_NAME = "dashboard.html"


def write_report(output_dir: Path, gold: Gold, provenance: Provenance) -> tuple[Path, Path]:
    """Write the text report and its Markdown twin; return their paths in this order."""
    return (
        replace_file(output_dir / TEXT_NAME, text_report(gold, provenance).encode()),
        replace_file(output_dir / MARKDOWN_NAME, markdown_report(gold, provenance).encode()),
    )


def write_plots(
    output_dir: Path, gold: Gold, provenance: Provenance, theme: Theme = "light"
) -> dict[str, Path]:
    """Write every plot as a PNG; return the paths by plot name."""
    # Importing Matplotlib takes a third of a second, so only drawing pays for it.
    from movies.report.plots import PLOTS, render

    folder = output_dir / PLOTS_FOLDER
    return {
        name: replace_file(folder / f"{name}.png", render(name, gold, provenance, theme)) for name in PLOTS
    }


def write_dashboard(
    output_dir: Path, tables: Mapping[str, pa.Table], provenance: Provenance, quality: pa.Table | None = None
) -> Path:
    """Write the dashboard of gold tables (`dashboard_page`); return its path."""
    from movies.report.dashboard import dashboard_page

    return replace_file(output_dir / DASHBOARD_NAME, dashboard_page(tables, provenance, quality).encode())
