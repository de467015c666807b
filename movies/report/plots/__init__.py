"""Eight plots of the gold tables, each a PNG whose title states the finding."""

from __future__ import annotations

from movies.report.plots.all_plots import PLOTS, describe, headline, render

__all__ = ["PLOTS", "describe", "headline", "render"]
