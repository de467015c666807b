"""Eight plots of the gold tables, each a PNG with a title that says what is seen."""

from __future__ import annotations

from movies.report.plots.registry import PLOTS, describe, headline, render

__all__ = ["PLOTS", "describe", "headline", "render"]
