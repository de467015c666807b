"""The plots by name, and what is done with any of them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import MappingProxyType

from report import style
from report.gold import Gold
from report.plots import (
    canvas,
    franchise_vs_standalone,
    genre_performance,
    popularity_vs_rating,
    rating_distribution,
    revenue_vs_budget,
    roi_by_genre,
    top_directors,
    yearly_trends,
)
from report.plots.palettes import PALETTES
from report.plots.plot import Plot
from report.provenance import ATTRIBUTION, SOURCE, Provenance
from report.themes import Theme

PLOTS: Mapping[str, Plot] = MappingProxyType(
    {
        module.PLOT.name: module.PLOT
        for module in (
            revenue_vs_budget,
            roi_by_genre,
            popularity_vs_rating,
            yearly_trends,
            franchise_vs_standalone,
            rating_distribution,
            top_directors,
            genre_performance,
        )
    }
)
# Matplotlib's settings are the process's: two threads that change them would leave a mixture behind.
_ONE_AT_A_TIME = threading.Lock()


def render(name: str, gold: Gold, provenance: Provenance, theme: Theme = "light") -> bytes:
    """Draw one plot; return it as a PNG."""
    plot, palette = PLOTS[name], PALETTES[theme]
    title, note = plot.title(gold), plot.note(gold)
    with _ONE_AT_A_TIME, style.house_style(palette):
        figure = canvas.new_sheet(plot.size_inches)
        canvas.frame(figure, palette, title, note, (provenance.caption, ATTRIBUTION))
        if plot.count(gold):
            plot.draw(gold, figure, palette)
            canvas.settle(figure)
        else:
            canvas.leave_empty(figure, palette)
        return canvas.png(
            figure,
            palette,
            {
                "Title": title,
                "Description": describe(name, gold),
                "Source": f"{SOURCE}. {ATTRIBUTION}",
            },
        )


def describe(name: str, gold: Gold) -> str:
    """The picture in words, for those who do not see it: its title, how to read it, and its figures."""
    plot = PLOTS[name]
    figures = plot.figures(gold) if plot.count(gold) else ""
    return " ".join(part for part in (f"{plot.title(gold)}.", plot.note(gold), figures) if part)
