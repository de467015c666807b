"""Plot: popularity against rating."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from movies.report.formats import counted, one_line
from movies.report.gold import FEW_MOVIES, Gold
from movies.report.plots import axes as house_axes
from movies.report.plots.labels import PointLabel, place_labels
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

# A mean of fewer votes says more about the voters than about the movie.
LEAST_VOTES = 10
NOTABLE = (("most_popular", 3), ("highest_rated", 2), ("lowest_rated", 2), ("most_voted", 2))
_CLEAR_CORRELATION = 0.3
# With more decades, ticks within them would overlap.
_MOST_DECADES = 6


def draw_popularity_vs_rating(gold: Gold, figure: Figure, palette: Palette) -> None:
    """Draw each movie as a point, with a stronger colour for more votes."""
    movies = _drawn(sample_and_ranked(gold))
    rating, popularity, votes = movies["vote_average"], movies["popularity"], movies["vote_count"]
    axes = figure.subplots()
    house_axes.scale(axes.yaxis, log=house_axes.spans_decades(popularity))
    house_axes.scale(axes.xaxis, log=False)
    order = np.argsort(votes)
    area = 70.0 if len(movies) < 100 else 24.0
    points = axes.scatter(
        rating[order],
        popularity[order],
        s=area,
        c=votes[order],
        cmap=palette.few_to_many,
        norm=LogNorm(),
        alpha=0.85,
        edgecolors=palette.sheet,
        linewidths=0.4,
        zorder=3,
    )
    axes.margins(0.08)
    axes.set_xlabel("Mean rating (out of 10)")
    axes.set_ylabel("Popularity (TMDB score)")
    if np.ptp(votes) > 0:
        bar = figure.colorbar(points, ax=axes, label="Votes", aspect=35, pad=0.01)
        decades = np.log10(np.max(votes) / np.min(votes))
        bar.ax.yaxis.set_major_locator(
            LogLocator(subs=(1.0, 2.0, 5.0)) if decades < _MOST_DECADES else LogLocator(numticks=10)
        )
        bar.ax.yaxis.set_minor_locator(NullLocator())
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _votes(value)))
        bar.outline.set_visible(False)
    ids = set(movies["id"])
    labels = [
        PointLabel(row["vote_average"], row["popularity"], row["title"], area)
        for row in named(gold, NOTABLE, ("vote_average", "popularity"))
        if row["id"] in ids
    ]
    place_labels(axes, labels, rating, popularity, palette)


def _votes(value: float) -> str:
    return f"{value:,.0f}" if value < 1e9 else f"{value:.0e}".replace("e+", "e")


def rank_correlation(first: Numbers, second: Numbers) -> float:
    """Return Spearman's coefficient, or NaN if one of the two is constant."""
    ranks = [_ranks(first), _ranks(second)]
    if any(np.ptp(values) == 0 for values in ranks):
        return float("nan")
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _ranks(values: Numbers) -> Numbers:
    """Return the rank of each value; equal values have the mean of their ranks."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Numbers = (last - (counts - 1) / 2)[places]
    return ranks


def _drawn(movies: Points) -> Points:
    """Select the movies with enough votes and a popularity."""
    return movies.where(
        (movies["vote_count"] >= LEAST_VOTES) & (movies["popularity"] > 0) & (movies["vote_average"] > 0)
    )


def _count(gold: Gold) -> int:
    return len(_drawn(sample(gold)))


def _finding(gold: Gold) -> str:
    movies = _drawn(sample(gold))
    correlation = rank_correlation(movies["vote_average"], movies["popularity"])
    if len(movies) < FEW_MOVIES or correlation != correlation:
        return f"Popularity and rating of {counted(len(movies), 'movie')}"
    if abs(correlation) < _CLEAR_CORRELATION:
        return f"Rating says little about popularity (rank correlation {correlation:.2f})"
    tendency = "more" if correlation > 0 else "less"
    return f"Better rated movies tend to be {tendency} popular (rank correlation {correlation:.2f})"


def _reading(gold: Gold) -> str:
    movies = counted(_count(gold), "movie")
    colours = "the stronger the colour, the more votes"
    return f"{movies} with {LEAST_VOTES} votes or more; {colours}.{sampled_note(gold)}"


def _figures(gold: Gold) -> str:
    movies = _drawn(sample(gold))
    texts = [
        f"{one_line(row['title'])} (rated {row['vote_average']:.1f}, popularity {row['popularity']:,.1f})"
        for row in notable(gold, NOTABLE, ("vote_average", "popularity"))
    ]
    rating, popularity = (float(np.median(movies[column])) for column in ("vote_average", "popularity"))
    medians = f"Median rating {rating:.2f}, median popularity {popularity:,.1f} (n = {len(movies):,})."
    return f"{medians} Named: {', '.join(texts)}." if texts else medians


PLOT = Plot(
    name="popularity_vs_rating",
    subject="popularity against rating",
    size_inches=(10, 6.4),
    count=_count,
    finding=_finding,
    reading=_reading,
    draw=draw_popularity_vs_rating,
    figures=_figures,
)
