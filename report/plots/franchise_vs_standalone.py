"""Plot: movies of a collection beside those that stand alone."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from report import style
from report.formats import UNKNOWN, counted, decimal, multiple, short_money
from report.gold import Gold
from report.plots.plot import Plot

_PANELS: tuple[tuple[str, str, Callable[[float | None], str]], ...] = (
    ("mean_revenue_musd", "Mean revenue", short_money),
    ("mean_budget_musd", "Mean budget", short_money),
    ("median_roi", "Median ROI", multiple),
    ("mean_rating", "Mean rating (out of 10)", decimal),
)
_COLOURS = (style.BLUE, style.ORANGE)


def draw_franchise_vs_standalone(gold: Gold, figure: Figure) -> None:
    """Draw four panels of two bars, each with its value."""
    segments = gold.segments()
    names = [
        f"{name}\n{counted(row['movies'], 'movie')}"
        for name, row in zip(("Franchise", "Standalone"), segments, strict=True)
    ]
    for axes, (column, title, show) in zip(figure.subplots(1, 4), _PANELS, strict=True):
        _draw_panel(axes, title, names, [row[column] for row in segments], show)


def _draw_panel(
    axes: Axes,
    title: str,
    names: list[str],
    values: list[float | None],
    show: Callable[[float | None], str],
) -> None:
    heights = [value or 0.0 for value in values]
    axes.bar(names, heights, width=0.62, color=_COLOURS)
    for place, (height, value) in enumerate(zip(heights, values, strict=True)):
        axes.annotate(
            UNKNOWN if value is None else show(value),
            (place, max(height, 0.0)),
            (0, 4),
            textcoords="offset points",
            ha="center",
            fontsize=11,
            fontweight="bold",
        )
    axes.set_title(title, pad=10)
    axes.set_ylim(0, 1.1 * max(*heights, 1e-9))
    axes.set_xlim(-0.6, 1.6)
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="x", length=0)


def _finding(gold: Gold) -> str:
    franchise, standalone = gold.segments()
    if not franchise["movies"]:
        return "No movie belongs to a collection: all stand alone"
    if not standalone["movies"]:
        return "Every movie belongs to a collection: none stands alone"
    earned = franchise["mean_revenue_musd"], standalone["mean_revenue_musd"]
    if None in earned:
        return "Movies of a collection beside those that stand alone"
    of_franchise, alone = map(short_money, earned)
    return f"Franchise movies earned {of_franchise} on average, standalone movies {alone}"


def _reading(gold: Gold) -> str:
    return "A franchise movie is one that belongs to a collection. ROI is revenue / budget."


PLOT = Plot(
    name="franchise_vs_standalone",
    subject="franchises against standalone movies",
    size_inches=(11, 5.2),
    count=lambda gold: gold.movies,
    finding=_finding,
    reading=_reading,
    draw=draw_franchise_vs_standalone,
)
