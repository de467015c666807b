"""Plot: movies and money by release year."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from movies.lake import gold_tables as tables
from movies.report import style
from movies.report.formats import counted, enumeration, short_money
from movies.report.gold import Gold, Row
from movies.report.plots import axes as house_axes
from movies.report.plots.movie_points import Numbers
from movies.report.plots.palettes import Palette
from movies.report.plots.plot import Plot
from movies.report.plots.reach import span_of_years

# With more years, markers would hide the line.
_MARKED_YEARS = 40
# Within this share of the width, a label is aligned to the edge.
_NEAR_EDGE = 0.12
_LAST_YEARS = 5
_MANY_DECADES = 8


def draw_yearly_trends(gold: Gold, figure: Figure, palette: Palette) -> None:
    """Draw three panels on one time axis: movies, total revenue, revenue and budget of a movie."""
    rows = _years(gold)
    years = np.array([row["release_year"] for row in rows], dtype=np.float64)
    number, total, means = figure.subplots(3, 1, sharex=True, height_ratios=(2, 2, 3))
    number.bar(years, _column(rows, "movies"), width=0.8, color=palette.pale(palette.grey))
    number.bar(years, _column(rows, "movies_with_revenue"), width=0.8, color=palette.blue)
    _head(number, ("Movies released,", palette.grey), (" of which with a known revenue", palette.blue))
    house_axes.whole_numbers(number.yaxis)
    total.bar(years, _column(rows, "total_revenue_musd"), width=0.8, color=palette.blue)
    total.set_title("Total revenue (US dollars)")
    house_axes.scale(total.yaxis, log=False, money=True)
    log = house_axes.spans_decades(_positive(rows))
    house_axes.scale(means.yaxis, log=log, money=True)
    for name, colour in (("revenue", palette.blue), ("budget", palette.orange)):
        _draw_line(means, years, _column(rows, f"mean_{name}_musd"), palette.pale(colour), log=log)
        _draw_line(means, years, _column(rows, f"median_{name}_musd"), colour, log=log)
    if not log:
        means.set_ylim(bottom=0)
    _head(
        means,
        ("Revenue", palette.blue),
        (" and", palette.ink),
        (" budget", palette.orange),
        (" of a movie: median, and pale the mean (US dollars)", palette.ink),
    )
    means.set_xlabel("Release year")
    house_axes.years(means.xaxis)
    means.set_xlim(years.min() - 1, years.max() + 1)
    _name_peak(means, rows, log=log)
    for panel in (number, total, means):
        panel.grid(visible=False, axis="x")


def _draw_line(axes: Axes, years: Numbers, values: Numbers, colour: str, *, log: bool) -> None:
    """Draw a line through the years with a known value."""
    known = values > 0 if log else ~np.isnan(values)
    marker = "o" if len(years) <= _MARKED_YEARS else None
    axes.plot(years[known], values[known], color=colour, linewidth=1.8, marker=marker, markersize=4.5)


def _head(axes: Axes, *parts: tuple[str, str]) -> None:
    """Write a heading whose coloured words replace a legend."""
    (first, first_colour), *others = parts
    heading = axes.set_title(first, color=first_colour)
    for words, colour in others:
        heading = axes.annotate(
            words,
            (1, 0),
            xycoords=heading,
            va="bottom",
            color=colour,
            fontsize=heading.get_fontsize(),
            fontweight="bold",
        )


def _positive(rows: list[Row]) -> Numbers:
    """Return all positive figures of the lines."""
    columns = ("mean_revenue_musd", "median_revenue_musd", "mean_budget_musd", "median_budget_musd")
    values = np.concatenate([_column(rows, name) for name in columns])
    return values[values > 0]


def _name_peak(axes: Axes, rows: list[Row], *, log: bool) -> None:
    """Label the highest mean with its number of movies, which is often one."""
    known = [row for row in rows if row["mean_revenue_musd"]]
    if not known:
        return
    peak = max(known, key=lambda row: row["mean_revenue_musd"])
    year, mean = peak["release_year"], peak["mean_revenue_musd"]
    first, last = axes.get_xlim()
    along = (year - first) / (last - first)
    axes.set_ylim(top=_room_above(axes) * mean if log else 1.2 * mean)
    axes.annotate(
        f"{year}: mean {short_money(mean)}, n = {peak['movies_with_revenue'] or 0:,}",
        (year, mean),
        (0, 6),
        textcoords="offset points",
        ha="left" if along < _NEAR_EDGE else "right" if along > 1 - _NEAR_EDGE else "center",
        va="bottom",
        fontsize=style.LABEL_POINTS,
    )


def _room_above(axes: Axes) -> float:
    """Return by which factor a logarithmic axis must exceed the peak for a line of text."""
    bottom, top = axes.get_ylim()
    decades = float(np.log10(top / bottom))
    return 3 if decades < _MANY_DECADES else 10 ** (0.13 * decades)


def _years(gold: Gold) -> list[Row]:
    """Return the years on the axis: those near the median movie's."""
    rows = _all_years(gold)
    first, last = span_of_years(_column(rows, "release_year"), _column(rows, "movies"))
    return [row for row in rows if first <= row["release_year"] <= last]


def _all_years(gold: Gold) -> list[Row]:
    return [row for row in gold.rows(tables.YEARS, by="release_year") if row["release_year"] is not None]


def _column(rows: list[Row], name: str) -> Numbers:
    return np.array([row[name] for row in rows], dtype=np.float64)


def _count(gold: Gold) -> int:
    return sum(row["movies"] for row in _years(gold))


def _finding(gold: Gold) -> str:
    rows = _years(gold)
    if len(rows) == 1:
        return f"{counted(rows[0]['movies'], 'movie')}, released in {rows[0]['release_year']}"
    most = max(row["movies"] for row in rows)
    busiest = [row["release_year"] for row in rows if row["movies"] == most]
    if len(busiest) == 1:
        number = f"{busiest[0]} has most movies ({most:,})"
    elif len(busiest) == 2:
        number = (
            f"{busiest[0]} and {busiest[1]} have most movies ({most:,} each)"
            if most > 1
            else "No year has more than 1 movie"
        )
    else:
        number = f"No year has more than {counted(most, 'movie')}"
    richest = max(rows, key=lambda row: row["total_revenue_musd"] or 0)
    if not richest["total_revenue_musd"]:
        return number
    return f"{number}; {richest['release_year']} earned most ({short_money(richest['total_revenue_musd'])})"


def _reading(gold: Gold) -> str:
    rows = _years(gold)
    first, last = rows[0]["release_year"], rows[-1]["release_year"]
    span = f"{first} to {last}" if last > first else f"{first}"
    reading = f"{counted(_count(gold), 'movie')} by release year, {span}."
    far = [row for row in _all_years(gold) if not first <= row["release_year"] <= last]
    if not far:
        return reading
    movies, years = sum(row["movies"] for row in far), [row["release_year"] for row in far]
    return f"{reading} {counted(movies, 'movie')} of far-off years not shown: {enumeration(years)}."


def _figures(gold: Gold) -> str:
    """Describe the last years; all of a century would be too long."""
    texts = [
        f"{row['release_year']}: {counted(row['movies'], 'movie')},"
        f" {short_money(row['total_revenue_musd'])} in total,"
        f" median {short_money(row['median_revenue_musd'])},"
        f" mean {short_money(row['mean_revenue_musd'])} (n = {row['movies_with_revenue'] or 0:,})"
        for row in _years(gold)[-_LAST_YEARS:]
    ]
    return f"Revenue of the last years: {'; '.join(texts)}."


PLOT = Plot(
    name="yearly_trends",
    subject="trends over the years",
    size_inches=(10, 8),
    count=_count,
    finding=_finding,
    reading=_reading,
    draw=draw_yearly_trends,
    figures=_figures,
)
