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
from report.plots.plot import Plot
from report.provenance import ATTRIBUTION, SOURCE, Provenance

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


def render(name: str, gold: Gold, provenance: Provenance) -> bytes:
    """Draw one plot; return it as a PNG."""
    plot = PLOTS[name]
    title, note = plot.title(gold), plot.note(gold)
    with _ONE_AT_A_TIME, style.house_style():
        figure = canvas.new_sheet(plot.size_inches)
        canvas.frame(figure, title, note, (provenance.caption, ATTRIBUTION))
        if plot.count(gold):
            plot.draw(gold, figure)
            canvas.settle(figure)
        else:
            canvas.leave_empty(figure)
        return canvas.png(
            figure,
            {
                "Title": title,
                "Description": describe(name, gold),
                "Source": f"{SOURCE}. {ATTRIBUTION}",
            },
        )


def describe(name: str, gold: Gold) -> str:
    """The picture in words, for those who do not see it."""
    plot = PLOTS[name]
    return " ".join((f"{plot.title(gold)}.", plot.note(gold))).strip()
