"""Plots of the revenue forecast: forecasts beside actual revenues, and drivers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from movies.report import style
from movies.report.forecast_text import ForecastTables, Row, chance_range, finding, held_back, sentence_case
from movies.report.formats import counted
from movies.report.plots import axes as house_axes
from movies.report.plots import canvas
from movies.report.plots.palettes import PALETTES, Palette
from movies.report.provenance import ATTRIBUTION, Provenance
from movies.report.themes import Theme


def describe_calibration(tables: ForecastTables) -> tuple[str, str]:
    """Return title and note of the calibration plot."""
    one = tables.overall
    note = (
        f"{counted(one['movies'], 'movie')} of {held_back(one)}, forecast by a model of the years before. "
        f"Each line is an interval of {one['interval_level']:.0%}; at the right, grey is the range "
        "that chance alone explains."
    )
    if tables.warning:
        return f"Not to be believed: a log R² of {one['log_r2']:.2f} is likely a leak", note
    return finding(tables), note


def describe_drivers(tables: ForecastTables) -> tuple[str, str]:
    """Return title and note of the drivers' plot."""
    first, second = (row["driver"] for row in tables.drivers[:2])
    return (
        f"Forecasts depend most on {first}, then on {second}",
        "Loss of log R² on the held-back movies if one property is shuffled; whiskers are a standard "
        "deviation over the shuffles. If two properties say the same, neither loss shows it.",
    )


def draw_calibration(tables: ForecastTables, figure: Figure, palette: Palette) -> None:
    """Draw actual revenues against forecasts, and the coverage of the intervals beside them."""
    left, right = figure.subplots(1, 2, width_ratios=(2, 1))
    _draw_movies(left, tables.judged, palette)
    _draw_coverage(right, [tables.overall, *tables.by_segment], palette)


def _draw_movies(axes: Axes, rows: list[Row], palette: Palette) -> None:
    predicted, low, high, earned = (
        np.array([row[name] for row in rows])
        for name in ("predicted_musd", "low_musd", "high_musd", "revenue_musd")
    )
    inside = (low <= earned) & (earned <= high)
    axes.vlines(predicted, low, high, color=palette.grey, alpha=0.25, linewidth=0.8)
    for chosen, colour, marker in ((inside, palette.blue, "o"), (~inside, palette.vermillion, "D")):
        axes.plot(predicted[chosen], earned[chosen], marker, color=colour, markersize=4, alpha=0.85, ls="")
    ends = np.array([predicted.min(), predicted.max()])
    axes.plot(ends, ends, color=palette.ink, linewidth=1)
    house_axes.scale(axes.xaxis, log=True, money=True)
    house_axes.scale(axes.yaxis, log=True, money=True)
    axes.set_xlabel("Forecast (US dollars)")
    axes.set_ylabel("Earned (US dollars)")
    axes.set_title("Forecast and what came")
    handles = [
        Line2D([], [], color=palette.blue, marker="o", markersize=4, ls="", label="within its interval"),
        Line2D([], [], color=palette.vermillion, marker="D", markersize=4, ls="", label="outside"),
        Line2D([], [], color=palette.ink, linewidth=1, label="exactly as forecast"),
    ]
    axes.legend(handles=handles, loc="upper left", frameon=False)


def _draw_coverage(axes: Axes, rows: list[Row], palette: Palette) -> None:
    level = rows[0]["interval_level"]
    for place, row in enumerate(rows):
        low, high = chance_range(level, row["movies"])
        axes.plot([low, high], [place, place], color=palette.faint, linewidth=11, solid_capstyle="butt")
        is_off = not low <= row["coverage"] <= high
        axes.plot(
            row["coverage"],
            place,
            "D" if is_off else "o",
            color=palette.vermillion if is_off else palette.blue,
        )
    axes.axvline(level, color=palette.ink, linewidth=1)
    house_axes.name_rows(
        axes,
        [f"{row['segment'].removeprefix('released in ')} ({row['movies']:,})" for row in rows],
        at_least=7,
    )
    axes.set_xlim(min(0.5, *(row["coverage"] - 0.05 for row in rows)), 1.01)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_title("Share within the interval")


def draw_drivers(tables: ForecastTables, figure: Figure, palette: Palette) -> None:
    """Draw a bar for each driver, the largest on top."""
    axes = figure.subplots()
    drops = [row["log_r2_drop"] for row in tables.drivers]
    spreads = [row["log_r2_drop_std"] for row in tables.drivers]
    axes.barh(range(len(drops)), drops, xerr=spreads, height=0.66, color=palette.blue, ecolor=palette.grey)
    axes.axvline(0, color=palette.ink, linewidth=0.8)
    house_axes.name_rows(axes, [sentence_case(row["driver"]) for row in tables.drivers], at_least=5)
    axes.set_xlabel("Log R² lost")


@dataclass(frozen=True)
class ForecastPlot:
    """A plot of the forecast's tables: size, title and note, and drawing function."""

    size_inches: tuple[float, float]
    describe: Callable[[ForecastTables], tuple[str, str]]
    draw: Callable[[ForecastTables, Figure, Palette], None]


PLOTS: Mapping[str, ForecastPlot] = MappingProxyType(
    {
        "forecast_calibration": ForecastPlot((12, 6.5), describe_calibration, draw_calibration),
        "forecast_drivers": ForecastPlot((10, 5.5), describe_drivers, draw_drivers),
    }
)


def render(name: str, tables: ForecastTables, provenance: Provenance, theme: Theme = "light") -> bytes:
    """Draw a plot, and return it as a PNG."""
    plot, palette = PLOTS[name], PALETTES[theme]
    title, note = plot.describe(tables)
    with style.house_style(palette):
        figure = canvas.new_sheet(plot.size_inches)
        canvas.frame(figure, palette, title, note, (provenance.caption, ATTRIBUTION))
        plot.draw(tables, figure, palette)
        canvas.settle(figure)
        texts = {
            "Title": title,
            "Description": f"{title}. {note}",
            "Source": provenance.notice,
        }
        return canvas.png(figure, palette, texts)
