"""Plot: franchise movies beside standalone ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from movies.lake import gold_tables as tables
from movies.report.formats import UNKNOWN, counted, decimal, known, multiple, one_line, short_money, shorten
from movies.report.gold import Gold, Row
from movies.report.plots.palettes import Palette
from movies.report.plots.plot import Plot

SEGMENTS = ("Franchise", "Standalone")
NAMED_FRANCHISES = 3
_NAME_CELLS = 30


@dataclass(frozen=True)
class Panel:
    """A figure of both segments: its columns by label, and the column that counts its movies."""

    title: str
    subject: str
    columns: tuple[tuple[str, str], ...]
    movies: str
    show: Callable[[float | None], str]


PANELS = (
    Panel(
        "Revenue of a movie",
        "revenue",
        (("mean", "mean_revenue_musd"), ("median", "median_revenue_musd")),
        "movies_with_revenue",
        short_money,
    ),
    Panel(
        "Budget of a movie",
        "budget",
        (("mean", "mean_budget_musd"), ("median", "median_budget_musd")),
        "movies_with_budget",
        short_money,
    ),
    Panel("Median ROI", "ROI", (("median", "median_roi"),), "movies_with_roi", multiple),
    Panel("Mean rating (of 10)", "rating", (("mean", "mean_rating"),), "movies_with_rating", decimal),
)


def draw_franchise_vs_standalone(gold: Gold, figure: Figure, palette: Palette) -> None:
    """Draw four panels, each with bars for both segments: the mean strong, the median pale."""
    segments = gold.segments()
    widths = [len(panel.columns) + 1 for panel in PANELS]
    for axes, panel in zip(figure.subplots(1, len(PANELS), width_ratios=widths), PANELS, strict=True):
        _draw_panel(axes, panel, segments, palette)


def _draw_panel(axes: Axes, panel: Panel, segments: tuple[Row, Row], palette: Palette) -> None:
    bars = len(panel.columns)
    values = [row[column] for row in segments for _, column in panel.columns]
    highest = max(*(value for value in values if known(value)), 0.0, 1e-9)
    for group, (row, colour) in enumerate(zip(segments, (palette.blue, palette.orange), strict=True)):
        for place, (what, column) in enumerate(panel.columns):
            value = row[column] if known(row[column]) else None
            at = group * (bars + 0.6) + place
            second = place > 0
            axes.bar(at, value or 0.0, width=0.86, color=palette.pale(colour) if second else colour)
            for words, above, points, weight in (
                (panel.show(value) if value is not None else UNKNOWN, 4, 9.5, "bold"),
                (what if bars > 1 else "", 17, 8, "normal"),
            ):
                axes.annotate(
                    words,
                    (at, max(value or 0.0, 0.0)),
                    (0, above),
                    textcoords="offset points",
                    ha="center",
                    fontsize=points,
                    fontweight=weight,
                    color=palette.ink if weight == "bold" else palette.grey,
                )
    axes.set_title(panel.title, pad=10)
    axes.set_ylim(0, 1.2 * highest)
    axes.set_xlim(-0.8, 2 * bars + 0.4)
    middles = [group * (bars + 0.6) + (bars - 1) / 2 for group in range(2)]
    names = [f"{name}\nn = {row[panel.movies] or 0:,}" for name, row in zip(SEGMENTS, segments, strict=True)]
    axes.set_xticks(middles, names)
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
    """Explain the segments, and name the franchises that earned most."""
    parts = [
        "A franchise movie is one of a collection. ROI is revenue / budget. n: movies whose figure is known."
    ]
    most = [
        f"{shorten(one_line(row['collection']), _NAME_CELLS)}"
        f" ({short_money(row['total_revenue_musd'])}, {counted(row['movies'], 'movie')})"
        for row in gold.rows(tables.FRANCHISES, by="rank", first=NAMED_FRANCHISES)
        if row["total_revenue_musd"]
    ]
    if most:
        parts.append(f"Highest total revenue: {', '.join(most)}.")
    return " ".join(parts)


def _figures(gold: Gold) -> str:
    sentences = []
    for name, row in zip(SEGMENTS, gold.segments(), strict=True):
        if not row["movies"]:
            continue
        figures = [
            f"{what} {panel.subject} {panel.show(row[column])} (n = {row[panel.movies] or 0:,})"
            for panel in PANELS
            for what, column in panel.columns
        ]
        sentences.append(f"{name}, {counted(row['movies'], 'movie')}: {', '.join(figures)}.")
    return " ".join(sentences)


PLOT = Plot(
    name="franchise_vs_standalone",
    subject="franchises against standalone movies",
    size_inches=(11, 5.2),
    count=lambda gold: gold.movies,
    finding=_finding,
    reading=_reading,
    draw=draw_franchise_vs_standalone,
    figures=_figures,
)
