"""What people read: the report and the plots, made from gold tables that are handed in."""

from __future__ import annotations

from report.files import write_plots, write_report
from report.gold import Gold, IncompleteGold
from report.markdown import markdown_report
from report.provenance import ATTRIBUTION, Provenance
from report.text import text_report

__all__ = [
    "ATTRIBUTION",
    "Gold",
    "IncompleteGold",
    "Provenance",
    "markdown_report",
    "text_report",
    "write_plots",
    "write_report",
]
