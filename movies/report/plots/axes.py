"""Set scales, ticks and labels of axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from movies.report import style
from movies.report.formats import shorten, tick, tick_money
from movies.report.plots.movie_points import Numbers

_LOG_FROM_RATIO = 50
_NAME_CELLS = 30
_STEPS = (1, 2, 5, 10)


def spans_decades(values: Numbers) -> bool:
    """Return whether positive values need a logarithmic axis."""
    return len(values) > 0 and bool(np.min(values) > 0 and np.max(values) / np.min(values) > _LOG_FROM_RATIO)


def scale(axis: Axis, *, log: bool, money: bool = False, suffix: str = "") -> None:
    """Make an axis linear with few round ticks, or logarithmic with one tick a decade."""
    if log:
        _set_log(axis)
        axis.set_major_locator(LogLocator(base=10, numticks=12))
        axis.set_minor_locator(NullLocator())
        axis.set_minor_formatter(NullFormatter())
    else:
        axis.set_major_locator(MaxNLocator(nbins=6, steps=_STEPS))
    axis.set_major_formatter(
        FuncFormatter(lambda value, _: tick_money(value) if money else f"{tick(value)}{suffix}")
    )


def _set_log(axis: Axis) -> None:
    axes = axis.axes
    assert isinstance(axes, Axes), "plots here have plain axes"
    if isinstance(axis, XAxis):
        axes.set_xscale("log")
    else:
        axes.set_yscale("log")


def whole_numbers(axis: Axis) -> None:
    """Set ticks at whole numbers only."""
    axis.set_major_locator(MaxNLocator(nbins=6, steps=_STEPS, integer=True, min_n_ticks=1))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def years(axis: Axis) -> None:
    """Set ticks at whole years, without a thousands separator."""
    axis.set_major_locator(MaxNLocator(nbins=12, steps=_STEPS, integer=True, min_n_ticks=1))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))


def name_rows(axes: Axes, names: Sequence[str], *, at_least: int) -> None:
    """Name rows from the top down; the height of a row is at most that of a page of `at_least` rows."""
    labels = [style.drawable(shorten(name, _NAME_CELLS)) for name in names]
    axes.set_yticks(range(len(names)), labels)
    axes.set_ylim(max(len(names), at_least) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
