"""What people read: the report, the plots and the dashboard, made from gold tables that are handed in."""

from __future__ import annotations

from movies.report.files import write_dashboard, write_plots, write_report
from movies.report.gold import REPORT_TABLES, Gold, IncompleteGold
from movies.report.markdown import markdown_report
from movies.report.provenance import ATTRIBUTION, Provenance
from movies.report.text import text_report

__all__ = [
    "ATTRIBUTION",
    "REPORT_TABLES",
    "Gold",
    "IncompleteGold",
    "Provenance",
    "markdown_report",
    "text_report",
    "write_dashboard",
    "write_plots",
    "write_report",
]
