"""Plot: revenue against budget."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from movies.report import style
from movies.report.formats import counted, one_line, short_money
from movies.report.gold import Gold
from movies.report.plots import axes as house_axes
from movies.report.plots import canvas
from movies.report.plots.labels import PointLabel, halo, place_labels
from movies.report.plots.movie_points import (
    Numbers,
    Points,
    named,
    notable,
    sample,
    sample_and_ranked,
    sampled_note,
)
from movies.report.plots.palettes import Palette
from movies.report.plots.plot import Plot
from movies.report.plots.reach import span_of_years

# Smaller figures are mistakes (millions for dollars) or placeholders, and would distort the axes.
SMALLEST_MUSD = 0.01
NOTABLE = (
    ("highest_revenue", 3),
    ("lowest_profit", 2),
    ("highest_roi", 2),
    ("highest_budget", 2),
    ("most_voted", 3),
)
# Areas of markers in square points, for few movies and for many that overlap.
_AREAS = (20.0, 320.0)
_CROWDED_AREAS = (8.0, 130.0)
_CROWDED_FROM_MOVIES = 200
_DENSE_FROM_MOVIES = 2_000


def draw_revenue_vs_budget(gold: Gold, figure: Figure, palette: Palette) -> None:
    """Draw each movie as a point, larger with more votes, and coloured by release year."""
    movies = _drawn(sample_and_ranked(gold))
    budget, revenue, years = movies["budget_musd"], movies["revenue_musd"], movies["release_year"]
    axes = figure.subplots()
    log = house_axes.spans_decades(budget) or house_axes.spans_decades(revenue)
    house_axes.scale(axes.xaxis, log=log, money=True)
    house_axes.scale(axes.yaxis, log=log, money=True)
    areas = _areas(movies)
    order = np.argsort(-areas)
    points = axes.scatter(
        budget[order],
        revenue[order],
        s=areas[order],
        c=np.clip(years, *span_of_years(years))[order],
        cmap=palette.old_to_new,
        alpha=_opacity(len(movies)),
        edgecolors=palette.sheet,
        linewidths=0.4,
        zorder=3,
    )
    axes.margins(0.06, 0.09)
    if not log:
        axes.set_ylim(bottom=0)
    axes.set_xlabel("Budget (US dollars)")
    axes.set_ylabel("Revenue (US dollars)")
    first, last = span_of_years(years)
    if first < last:
        bar = figure.colorbar(points, ax=axes, label="Release year", aspect=35, pad=0.01)
        house_axes.years(bar.ax.yaxis)
        bar.outline.set_visible(False)
        assert bar.solids is not None, "a bar has its colours"
        bar.solids.set(alpha=1.0, edgecolor="face")
    canvas.settle(figure)
    break_even = _draw_break_even(axes, palette)
    known = dict(zip(movies["id"], areas, strict=True))
    labels = [
        PointLabel(row["budget_musd"], row["revenue_musd"], row["title"], known[row["id"]])
        for row in named(gold, NOTABLE, ("budget_musd", "revenue_musd"))
        if row["id"] in known
    ]
    place_labels(axes, labels, budget, revenue, palette, keep_clear=break_even)


def _draw_break_even(axes: Axes, palette: Palette) -> list[Text]:
    """Draw the line where revenue equals budget, and return its label."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    start, end = max(left, bottom), min(right, top)
    if start >= end:
        return []
    axes.plot(
        [start, end],
        [start, end],
        color=palette.vermillion,
        linewidth=1.2,
        zorder=2,
        scalex=False,
        scaley=False,
    )
    low, high = axes.transData.transform([(start, start), (end, end)])
    angle = float(np.degrees(np.arctan2(high[1] - low[1], high[0] - low[0])))
    text = axes.annotate(
        "break-even: revenue = budget",
        (start, start),
        (6, 4),
        textcoords="offset points",
        rotation=angle,
        rotation_mode="anchor",
        ha="left",
        va="bottom",
        color=palette.vermillion,
        fontsize=style.LABEL_POINTS,
        path_effects=halo(palette),
        zorder=4,
    )
    return [text]


def _drawn(movies: Points) -> Points:
    """Select the movies with a plausible budget and revenue."""
    with_both = (movies["budget_musd"] >= SMALLEST_MUSD) & (movies["revenue_musd"] >= SMALLEST_MUSD)
    return movies.where(with_both)


def _areas(movies: Points) -> Numbers:
    votes = np.nan_to_num(movies["vote_count"])
    smallest, largest = _AREAS if len(movies) < _CROWDED_FROM_MOVIES else _CROWDED_AREAS
    areas: Numbers = smallest + (largest - smallest) * votes / max(votes.max(), 1.0)
    return areas


def _opacity(movies: int) -> float:
    """Return the opacity of points, which is lower if many overlap."""
    return 0.85 if movies < _CROWDED_FROM_MOVIES else 0.6 if movies < _DENSE_FROM_MOVIES else 0.4


def _count(gold: Gold) -> int:
    return len(_drawn(sample(gold)))


def _finding(gold: Gold) -> str:
    known = [row for row in gold.ranking("highest_revenue") if row["revenue_musd"] is not None]
    if not known:
        return "What movies earned against what they cost"
    first = known[0]
    budget = (
        f" on a budget of {short_money(first['budget_musd'])}" if first["budget_musd"] is not None else ""
    )
    return f"{one_line(first['title'])} earned most: {short_money(first['revenue_musd'])}{budget}"


def _reading(gold: Gold) -> str:
    everything = sample(gold)
    movies = _drawn(everything)
    earning = int(np.count_nonzero(movies["revenue_musd"] > movies["budget_musd"]))
    tiny = int(np.count_nonzero(~np.isnan(everything["roi"]))) - len(movies)
    left_out = f" {counted(tiny, 'movie')} below $10K left out." if tiny else ""
    first, last = span_of_years(movies["release_year"])
    if not ((movies["release_year"] >= first) & (movies["release_year"] <= last)).all():
        left_out += f" Years outside {first:.0f} to {last:.0f} have the colours of these."
    return (
        f"{earning:,} of {counted(len(movies), 'movie')} with both figures known earned more than the budget."
        f" Larger points have more votes.{left_out}{sampled_note(gold)}"
    )


def _figures(gold: Gold) -> str:
    movies = _drawn(sample(gold))
    texts = [
        f"{one_line(row['title'])} ({short_money(row['revenue_musd'])} on {short_money(row['budget_musd'])})"
        for row in notable(gold, NOTABLE, ("budget_musd", "revenue_musd"))
    ]
    medians = [short_money(float(np.median(movies[column]))) for column in ("budget_musd", "revenue_musd")]
    named = f" Named: {', '.join(texts)}." if texts else ""
    return f"Median budget {medians[0]}, median revenue {medians[1]} (n = {len(movies):,}).{named}"


PLOT = Plot(
    name="revenue_vs_budget",
    subject="revenue against budget",
    size_inches=(10, 6.4),
    count=_count,
    finding=_finding,
    reading=_reading,
    draw=draw_revenue_vs_budget,
    figures=_figures,
)
