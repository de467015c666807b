"""Plot: the directors whose movies earned most."""

from __future__ import annotations

from matplotlib.figure import Figure

from movies.lake import gold_tables as tables
from movies.report.formats import counted, decimal, enumeration, known, one_line, short_money
from movies.report.gold import Gold, Row
from movies.report.plots import axes as house_axes
from movies.report.plots.palettes import Palette
from movies.report.plots.plot import Plot

SHOWN = 10


def draw_top_directors(gold: Gold, figure: Figure, palette: Palette) -> None:
    """Draw a row for each director: total revenue as a bar, mean rating as a point beside it."""
    rows = _directors(gold)
    revenue, rating = figure.subplots(1, 2, sharey=True, width_ratios=(3, 1))
    totals = [row["total_revenue_musd"] or 0.0 for row in rows]
    revenue.barh(range(len(rows)), totals, height=0.66, color=palette.blue)
    for place, (row, total) in enumerate(zip(rows, totals, strict=True)):
        revenue.annotate(
            f"{_earned(row)} · {_sample_size(row)}",
            (max(total, 0.0), place),
            (5, 0),
            textcoords="offset points",
            va="center",
        )
    revenue.set_xlim(0, 1.36 * max(*totals, 1e-9))
    revenue.set_title("Total revenue (US dollars)")
    house_axes.scale(revenue.xaxis, log=False, money=True)
    house_axes.name_rows(revenue, [one_line(row["director"]) for row in rows], at_least=5)
    rated = [(place, row["mean_rating"]) for place, row in enumerate(rows) if known(row["mean_rating"])]
    rating.plot(
        [value for _, value in rated],
        [place for place, _ in rated],
        "o",
        color=palette.vermillion,
        markersize=7,
    )
    for place, value in rated:
        rating.annotate(f"{value:.2f}", (value, place), (8, 0), textcoords="offset points", va="center")
    lowest = min((value for _, value in rated), default=5.0)
    rating.set_xlim(min(int(lowest), 5), 10.4)
    rating.set_title("Mean rating (of 10)")
    house_axes.scale(rating.xaxis, log=False)
    rating.tick_params(axis="y", length=0, labelleft=False)
    rating.grid(visible=True, axis="y")
    rating.spines["left"].set_visible(False)


def _earned(row: Row) -> str:
    if row["total_revenue_musd"] is None:
        return "off the axis"
    return short_money(row["total_revenue_musd"]) if row["total_revenue_musd"] else "no revenue known"


def _sample_size(row: Row) -> str:
    """Describe how many movies are in the total, and how many there are if some have no revenue."""
    movies, earning = row["movies"], row["movies_with_revenue"] or 0
    return f"n = {earning:,}" if earning == movies else f"n = {earning:,} of {movies:,}"


def _directors(gold: Gold) -> list[Row]:
    return gold.rows(tables.DIRECTORS, by="rank", first=SHOWN)


def _finding(gold: Gold) -> str:
    rows = _directors(gold)
    most = rows[0]["total_revenue_musd"]
    if not most:
        return "No director's revenue is known"
    names = [one_line(row["director"]) for row in rows if row["total_revenue_musd"] == most]
    each = " each" if len(names) > 1 else ""
    return f"Movies by {enumeration(names)} earned most: {short_money(most)}{each}"


def _reading(gold: Gold) -> str:
    number = gold.count(tables.DIRECTORS)
    shown = f"The first {SHOWN} of {number:,} directors" if number > SHOWN else counted(number, "director")
    return (
        f"{shown} by total revenue; n: movies whose revenue is known."
        " Every co-director is credited with the whole movie."
    )


def _figures(gold: Gold) -> str:
    texts = [
        f"{one_line(row['director'])} {short_money(row['total_revenue_musd'])} ({_sample_size(row)},"
        f" rated {decimal(row['mean_rating'])})"
        for row in _directors(gold)
    ]
    return f"In order: {'; '.join(texts)}."


PLOT = Plot(
    name="top_directors",
    subject="a ranking of directors",
    size_inches=(10, 6),
    count=lambda gold: gold.movies if gold.count(tables.DIRECTORS) else 0,
    finding=_finding,
    reading=_reading,
    draw=draw_top_directors,
    figures=_figures,
)
