"""All plots by name; draw and describe them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from movies.report import style
from movies.report.formats import counted
from movies.report.gold import Gold
from movies.report.plots import (
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
from movies.report.plots.palettes import PALETTES
from movies.report.plots.plot import Plot
from movies.report.plots.reach import within_reach
from movies.report.provenance import ATTRIBUTION, Provenance
from movies.report.themes import Theme

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


def render(name: str, gold: Gold, provenance: Provenance, theme: Theme = "light") -> bytes:
    """Draw a plot, and return it as a PNG."""
    plot, palette = PLOTS[name], PALETTES[theme]
    description = describe(name, gold)
    gold, title, note = _drawn(plot, gold)
    with style.house_style(palette):
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
                "Description": description,
                "Source": provenance.notice,
            },
        )


def describe(name: str, gold: Gold) -> str:
    """Describe a plot in words, for readers who cannot see it: title, note and figures."""
    plot = PLOTS[name]
    gold, title, note = _drawn(plot, gold)
    figures = plot.figures(gold) if plot.count(gold) else ""
    return " ".join(part for part in (f"{title}.", note, figures) if part)


def headline(name: str, gold: Gold) -> str:
    """Return the title of a plot."""
    return _drawn(PLOTS[name], gold)[1]


def _drawn(plot: Plot, gold: Gold) -> tuple[Gold, str, str]:
    """Return the tables to draw, the title, and the note, which says what is left out."""
    gold, beyond = within_reach(gold)
    note = plot.note(gold)
    if beyond:
        note = f"{note} Figures of {counted(beyond, 'movie')} are beyond all axes and left out.".lstrip()
    return gold, plot.title(gold), note
