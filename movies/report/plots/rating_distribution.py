"""Plot: the distribution of ratings."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from movies.lake.gold_tables import MOVIE_SAMPLE
from movies.report.formats import counted, decimal
from movies.report.gold import Gold
from movies.report.plots import axes as house_axes
from movies.report.plots.labels import halo
from movies.report.plots.movie_points import Numbers, sample
from movies.report.plots.palettes import Palette
from movies.report.plots.plot import Plot

_BINS = (0.1, 0.2, 0.25)
_WIDEST_BIN = 0.5
# With fewer movies, the curve would mostly show the smoothing.
_CURVE_FROM_MOVIES = 30
_QUARTERED_FROM_MOVIES = 4


def draw_rating_distribution(gold: Gold, figure: Figure, palette: Palette) -> None:
    """Draw a histogram with the mean and the median marked."""
    import seaborn  # the import takes a tenth of a second, and only this plot needs it

    ratings = _ratings(gold)
    axes = figure.subplots()
    seaborn.histplot(
        x=ratings,
        bins=_bins(ratings).tolist(),
        kde=len(ratings) >= _CURVE_FROM_MOVIES and np.ptp(ratings) > 0,
        color=palette.sky,
        edgecolor=palette.sheet,
        line_kws={"linewidth": 1.4},
        ax=axes,
    )
    for curve in axes.lines:
        curve.set_color(palette.grey)
    mean, median = _mean_and_median(gold)
    axes.set_ylim(top=1.14 * axes.get_ylim()[1])
    mean_is_left = mean is not None and median is not None and mean < median
    for name, value, colour, to_the_left in (
        ("mean", mean, palette.vermillion, mean_is_left),
        ("median", median, palette.blue, not mean_is_left),
    ):
        if value is None:
            continue
        axes.axvline(value, color=colour, linewidth=2.0, zorder=4)
        axes.annotate(
            f"{name} {value:.2f}",
            (value, 0.99),
            (-6 if to_the_left else 6, 0),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="right" if to_the_left else "left",
            va="top",
            color=colour,
            fontsize=11,
            fontweight="bold",
            path_effects=halo(palette),
            zorder=5,
        )
    axes.set_xlabel(f"Rating (out of 10); n = {len(ratings):,}")
    axes.set_ylabel("Movies")
    axes.set_xlim(*_limits(ratings))
    house_axes.scale(axes.xaxis, log=False)
    house_axes.whole_numbers(axes.yaxis)
    axes.grid(visible=False, axis="x")


def _mean_and_median(gold: Gold) -> tuple[float | None, float | None]:
    """Return mean and median of all movies, even if only a sample is drawn."""
    return gold.overview["mean_rating"], gold.overview["median_rating"]


def _bins(ratings: Numbers) -> Numbers:
    """Return edges at round ratings; bins are narrower with more movies."""
    spread = float(np.subtract(*np.percentile(ratings, (75, 25))))
    ideal = 2 * spread / len(ratings) ** (1 / 3) if len(ratings) >= _CURVE_FROM_MOVIES else _WIDEST_BIN
    width = next((step for step in _BINS if ideal <= step), _WIDEST_BIN)
    first, last = np.floor(ratings.min() / width), np.floor(ratings.max() / width) + 1
    edges: Numbers = np.arange(first, last + 1) * width
    return edges


def _limits(ratings: Numbers) -> tuple[float, float]:
    """Return limits with space for the labels on both sides, slightly beyond 0 to 10 at most."""
    margin = max(0.6, 0.15 * float(np.ptp(ratings)))
    return max(ratings.min() - margin, -0.6), min(ratings.max() + margin, 10.6)


def _ratings(gold: Gold) -> Numbers:
    ratings = sample(gold)["vote_average"]
    return ratings[~np.isnan(ratings)]


def _finding(gold: Gold) -> str:
    ratings = _ratings(gold)
    if len(ratings) == 1:
        return f"The one rated movie has {ratings[0]:.1f} out of 10"
    if len(ratings) < _QUARTERED_FROM_MOVIES:
        return f"{len(ratings)} movies are rated {ratings.min():.1f} to {ratings.max():.1f}"
    low, high = np.percentile(ratings, (25, 75))
    return f"The middle half of the movies is rated {low:.1f} to {high:.1f}"


def _reading(gold: Gold) -> str:
    rated = f"Ratings of {counted(len(_ratings(gold)), 'movie')} that anyone voted on"
    if gold.sampled:
        sampled = gold.count(MOVIE_SAMPLE)
        return f"{rated}, from a sample of {sampled:,}. Mean and median are those of all {gold.movies:,}."
    return f"{rated}."


def _figures(gold: Gold) -> str:
    mean, median = _mean_and_median(gold)
    ratings = _ratings(gold)
    ends = f"Lowest {ratings.min():.1f}, highest {ratings.max():.1f}"
    return f"Mean {decimal(mean)}, median {decimal(median)} (n = {len(ratings):,}). {ends}."


PLOT = Plot(
    name="rating_distribution",
    subject="a distribution of ratings",
    size_inches=(10, 5.6),
    count=lambda gold: len(_ratings(gold)),
    finding=_finding,
    reading=_reading,
    draw=draw_rating_distribution,
    figures=_figures,
)
