"""Plot: revenue, rating and popularity by genre."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from movies.lake import gold_tables as tables
from movies.report import style
from movies.report.formats import counted, decimal, enumeration, known, one_line, short_money
from movies.report.gold import Gold, Row
from movies.report.plots import axes as house_axes
from movies.report.plots.genre_rows import MOST_GENRES, by_size, summarise
from movies.report.plots.palettes import Palette
from movies.report.plots.plot import Plot

# The title does not compare genres with fewer movies, which are drawn pale.
COMPARED_FROM_MOVIES = 5


def draw_genre_performance(gold: Gold, figure: Figure, palette: Palette) -> None:
    """Draw three panels with a row for each genre, the highest mean revenue on top.

    A line across the revenue's bar is the median.
    """
    rows = _genres(gold)
    revenue, rating, popularity = figure.subplots(1, 3, sharey=True, width_ratios=(1.4, 1, 1))
    house_axes.name_rows(
        revenue, [f"{one_line(row['genre'])}  n = {row['movies']:,}" for row in rows], at_least=6
    )
    _draw_bars(revenue, rows, "mean_revenue_musd", palette.blue, palette)
    _mark_medians(revenue, rows, palette)
    house_axes.scale(revenue.xaxis, log=False, money=True)
    revenue.set_title("Mean revenue, and median (line)")
    _draw_points(rating, rows, palette)
    rating.set_title("Mean rating (out of 10)")
    _draw_bars(popularity, rows, "mean_popularity", palette.green, palette)
    popularity.set_title("Mean popularity (TMDB score)")
    for panel in (rating, popularity):
        house_axes.scale(panel.xaxis, log=False)
        panel.tick_params(axis="y", length=0, labelleft=False)
        panel.spines["left"].set_visible(False)
    for panel in (revenue, popularity):
        panel.grid(visible=False, axis="y")


def _draw_bars(axes: Axes, rows: list[Row], column: str, colour: str, palette: Palette) -> None:
    values = [row[column] if known(row[column]) else 0.0 for row in rows]
    colours = [colour if _compared(row) else palette.pale(colour) for row in rows]
    axes.barh(range(len(rows)), values, height=0.66, color=colours)
    for place, row in enumerate(rows):
        furthest = values[place]
        words = decimal(row[column])
        if column == "mean_revenue_musd":
            furthest = max(furthest, row["median_revenue_musd"] or 0.0)
            words = f"{short_money(row[column])} · n = {row['movies_with_revenue'] or 0:,}"
        axes.annotate(
            words,
            (furthest, place),
            (4, 0),
            textcoords="offset points",
            va="center",
            fontsize=style.LABEL_POINTS,
        )
    axes.set_xlim(0, (1.6 if column == "mean_revenue_musd" else 1.28) * max(*values, 1e-9))


def _mark_medians(axes: Axes, rows: list[Row], palette: Palette) -> None:
    """Draw a line across each bar at the median."""
    for place, row in enumerate(rows):
        if known(row["median_revenue_musd"]):
            axes.plot(
                [row["median_revenue_musd"]] * 2, [place - 0.4, place + 0.4], color=palette.ink, linewidth=2.0
            )


def _draw_points(axes: Axes, rows: list[Row], palette: Palette) -> None:
    values = [row["mean_rating"] for row in rows if known(row["mean_rating"])]
    low, high = min(values, default=0.0), max(values, default=10.0)
    margin = max(0.25 * (high - low), 0.15)
    axes.set_xlim(low - margin, high + 2 * margin)
    for place, row in enumerate(rows):
        if not known(row["mean_rating"]):
            continue
        axes.plot(
            row["mean_rating"],
            place,
            "o",
            color=palette.vermillion if _compared(row) else palette.pale(palette.vermillion),
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
    """Return the largest genres by mean revenue, those too small to compare last."""
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
    """Return the row or rows with the highest figure in a column."""
    highest = max((row[column] for row in rows if known(row[column])), default=None)
    return [row for row in rows if highest is not None and row[column] == highest]


def _named(rows: list[Row]) -> str:
    return enumeration([one_line(row["genre"]) for row in rows])


def _reading(gold: Gold) -> str:
    rows = _genres(gold)
    parts = ["n: movies, and movies whose revenue is known. A movie counts in each of its genres."]
    if not all(_compared(row) for row in rows):
        parts.append(f"Pale, and not compared: genres of fewer than {COMPARED_FROM_MOVIES} movies.")
    if gold.count(tables.GENRES) > MOST_GENRES:
        parts.append(f"The {MOST_GENRES} largest of {gold.count(tables.GENRES)} genres.")
    return " ".join(parts)


def _in_words(row: Row) -> str:
    return (
        f"{one_line(row['genre'])} {short_money(row['mean_revenue_musd'])}"
        f" (median {short_money(row['median_revenue_musd'])}, n = {row['movies_with_revenue'] or 0:,}),"
        f" rated {decimal(row['mean_rating'])}, popularity {decimal(row['mean_popularity'])}"
        f" ({counted(row['movies'], 'movie')})"
    )


def _figures(gold: Gold) -> str:
    return f"Mean revenue, rating and popularity: {summarise(_genres(gold), _in_words)}."


PLOT = Plot(
    name="genre_performance",
    subject="a comparison of genres",
    size_inches=(11, 7),
    count=lambda gold: gold.movies if gold.count(tables.GENRES) else 0,
    finding=_finding,
    reading=_reading,
    draw=draw_genre_performance,
    figures=_figures,
)
