"""Plot: what genres earn, how they are rated, how popular they are."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lake import tables
from report import style
from report.formats import decimal, enumeration, known, short_money
from report.gold import Gold, Row
from report.plots import axes as house_axes
from report.plots.genres import MOST_GENRES, by_size
from report.plots.plot import Plot

# A mean of fewer is not compared in the title, and drawn pale.
COMPARED_FROM_MOVIES = 5


def draw_genre_performance(gold: Gold, figure: Figure) -> None:
    """Draw three panels with a row for each genre, the highest mean revenue on top."""
    rows = _genres(gold)
    revenue, rating, popularity = figure.subplots(1, 3, sharey=True)
    house_axes.name_rows(revenue, [f"{row['genre']} ({row['movies']:,})" for row in rows], at_least=6)
    _draw_bars(revenue, rows, "mean_revenue_musd", style.BLUE)
    house_axes.scale(revenue.xaxis, log=False, money=True)
    revenue.set_title("Mean revenue (US dollars)")
    _draw_points(rating, rows)
    rating.set_title("Mean rating (out of 10)")
    _draw_bars(popularity, rows, "mean_popularity", style.GREEN)
    popularity.set_title("Mean popularity (TMDB score)")
    for panel in (rating, popularity):
        house_axes.scale(panel.xaxis, log=False)
        panel.tick_params(axis="y", length=0, labelleft=False)
        panel.spines["left"].set_visible(False)
    for panel in (revenue, popularity):
        panel.grid(visible=False, axis="y")


def _draw_bars(axes: Axes, rows: list[Row], column: str, colour: str) -> None:
    values = [row[column] if known(row[column]) else 0.0 for row in rows]
    colours = [colour if _compared(row) else style.pale(colour) for row in rows]
    axes.barh(range(len(rows)), values, height=0.66, color=colours)
    show = short_money if column.endswith("_musd") else decimal
    for place, row in enumerate(rows):
        axes.annotate(
            show(row[column]),
            (values[place], place),
            (4, 0),
            textcoords="offset points",
            va="center",
            fontsize=style.LABEL_POINTS,
        )
    axes.set_xlim(0, 1.28 * max(*values, 1e-9))


def _draw_points(axes: Axes, rows: list[Row]) -> None:
    values = [row["mean_rating"] for row in rows if known(row["mean_rating"])]
    low, high = min(values, default=0.0), max(values, default=10.0)
    room = max(0.25 * (high - low), 0.15)
    axes.set_xlim(low - room, high + 2 * room)
    for place, row in enumerate(rows):
        if not known(row["mean_rating"]):
            continue
        axes.plot(
            row["mean_rating"],
            place,
            "o",
            color=style.VERMILLION if _compared(row) else style.pale(style.VERMILLION),
            markersize=6,
            markeredgewidth=0,
        )
        axes.annotate(
            decimal(row["mean_rating"]),
            (row["mean_rating"], place),
            (7, 0),
            textcoords="offset points",
            va="center",
            fontsize=style.LABEL_POINTS,
        )
    axes.grid(visible=True, axis="y")


def _compared(genre: Row) -> bool:
    return bool(genre["movies"] >= COMPARED_FROM_MOVIES)


def _genres(gold: Gold) -> list[Row]:
    """The genres with most movies, the highest mean revenue first, those too small to compare last."""
    return sorted(
        by_size(gold)[:MOST_GENRES], key=lambda row: (not _compared(row), -(row["mean_revenue_musd"] or 0.0))
    )


def _finding(gold: Gold) -> str:
    compared = [row for row in _genres(gold) if _compared(row)]
    earning = _best(compared, "mean_revenue_musd")
    rated = _best(compared, "mean_rating")
    if not earning or not rated:
        return "How genres compare in revenue, rating and popularity"
    earned = f"{_named(earning)} movies earn most ({short_money(earning[0]['mean_revenue_musd'])} on average)"
    if earning == rated:
        return f"{earned} and are rated best ({decimal(rated[0]['mean_rating'])})"
    return f"{earned}; {_named(rated)} movies are rated best ({decimal(rated[0]['mean_rating'])})"


def _best(rows: list[Row], column: str) -> list[Row]:
    """The row with the highest figure in a column, or the rows that share it."""
    highest = max((row[column] for row in rows if known(row[column])), default=None)
    return [row for row in rows if highest is not None and row[column] == highest]


def _named(rows: list[Row]) -> str:
    return enumeration([row["genre"] for row in rows])


def _reading(gold: Gold) -> str:
    rows = _genres(gold)
    parts = ["In brackets: movies. A movie counts in each of its genres."]
    if not all(_compared(row) for row in rows):
        parts.append(f"Pale, and not compared: genres of fewer than {COMPARED_FROM_MOVIES} movies.")
    if gold.count(tables.GENRES) > MOST_GENRES:
        parts.append(f"The {MOST_GENRES} largest of {gold.count(tables.GENRES)} genres.")
    return " ".join(parts)


PLOT = Plot(
    name="genre_performance",
    subject="a comparison of genres",
    size_inches=(11, 7),
    count=lambda gold: gold.movies if gold.count(tables.GENRES) else 0,
    finding=_finding,
    reading=_reading,
    draw=draw_genre_performance,
)
