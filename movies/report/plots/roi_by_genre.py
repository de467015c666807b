"""Plot: the distribution of returns in each genre."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from movies.lake import gold_tables as tables
from movies.report import style
from movies.report.formats import counted, enumeration, multiple, one_line
from movies.report.gold import Gold, Row
from movies.report.plots import axes as house_axes
from movies.report.plots.genre_rows import MOST_GENRES, by_size, summarise
from movies.report.plots.movie_points import Numbers, sample, sampled_note
from movies.report.plots.palettes import Palette
from movies.report.plots.plot import Plot

# Quartiles of fewer movies mean nothing, so these genres have only points.
BOX_FROM_MOVIES = 5
WHISKERS_PERCENT = (5, 95)


def draw_roi_by_genre(gold: Gold, figure: Figure, palette: Palette) -> None:
    """Draw a row for each genre, best median on top: its movies as points, its quartiles as a box."""
    axes = figure.subplots()
    genres, returns = _genres(gold), _returns(gold)
    shown = _shown(genres, returns)
    log = house_axes.spans_decades(shown)
    house_axes.scale(axes.xaxis, log=log, suffix="x")
    axes.set_xlim(*_limits(genres, shown, log=log))
    jitter = np.random.default_rng(0)
    for row, genre in enumerate(genres):
        values = returns[genre["genre"]]
        few = len(values) < BOX_FROM_MOVIES
        heights = row + (np.zeros(1) if few else jitter.uniform(-0.28, 0.28, len(values)))
        axes.plot(
            values,
            np.broadcast_to(heights, values.shape),
            linestyle="none",
            marker="o",
            markersize=4.5 if few else 3.2,
            markeredgewidth=0,
            color=palette.blue,
            alpha=0.9 if few else float(np.clip(20 / len(values), 0.06, 0.7)),
            zorder=2,
        )
    boxes = [_box(row, returns[row["genre"]]) for row in genres if _boxed(row)]
    rows = [place for place, row in enumerate(genres) if _boxed(row)]
    if boxes:
        axes.bxp(
            boxes,
            positions=rows,
            orientation="horizontal",
            widths=0.62,
            showfliers=False,
            patch_artist=True,
            manage_ticks=False,
            boxprops={"facecolor": (palette.sky, 0.33), "edgecolor": palette.blue, "linewidth": 1.0},
            medianprops={"color": palette.vermillion, "linewidth": 2.2},
            whiskerprops={"color": palette.blue, "linewidth": 1.0},
            capprops={"color": palette.blue, "linewidth": 1.0},
            zorder=3,
        )
    house_axes.name_rows(
        axes, [f"{one_line(row['genre'])}  n = {row['movies_with_roi']:,}" for row in genres], at_least=6
    )
    axes.set_ylim(top=-1)
    axes.axvline(1, color=palette.grey, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
    if axes.get_xlim()[0] <= 1:
        axes.annotate(
            "break-even",
            (1, 1),
            (3, -1),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            va="top",
            fontsize=style.LABEL_POINTS,
            color=palette.grey,
        )
    axes.set_xlabel("Return on investment (revenue / budget); n: movies where it is known")


def _shown(genres: list[Row], returns: dict[str, Numbers]) -> Numbers:
    return np.concatenate([returns[row["genre"]] for row in genres])


def _boxed(genre: Row) -> bool:
    return (genre["movies_with_roi"] or 0) >= BOX_FROM_MOVIES and None not in (
        genre["roi_p25"],
        genre["roi_p75"],
    )


def _box(genre: Row, values: Numbers) -> dict[str, float]:
    """Return a box of the genre's exact quartiles, with the sample's whiskers, which never end inside it."""
    few = len(values) < BOX_FROM_MOVIES
    low, high = (genre["roi_p25"], genre["roi_p75"]) if few else np.percentile(values, WHISKERS_PERCENT)
    return {
        "med": genre["median_roi"],
        "q1": genre["roi_p25"],
        "q3": genre["roi_p75"],
        "whislo": min(low, genre["roi_p25"]),
        "whishi": max(high, genre["roi_p75"]),
    }


def _limits(genres: list[Row], shown: Numbers, *, log: bool) -> tuple[float, float]:
    """Return limits for all points; on a logarithmic axis, without the outermost 1% on either side."""
    medians = [row["median_roi"] for row in genres]
    if not log:
        return 0.0, 1.06 * max(shown.max(), *medians, 1.0)
    low, high = np.percentile(shown, (1, 99))
    return 0.8 * min(low, *medians, 1.0), 1.25 * max(high, *medians, 1.0)


def _genres(gold: Gold) -> list[Row]:
    """Return the largest genres, those with a box first, by best median."""
    returns = _returns(gold)
    known = [
        row for row in by_size(gold) if row["median_roi"] is not None and len(returns.get(row["genre"], ()))
    ]
    return sorted(known[:MOST_GENRES], key=lambda row: (not _boxed(row), -row["median_roi"]))


def _returns(gold: Gold) -> dict[str, Numbers]:
    """Return the sampled movies' returns by genre, for the largest genres."""
    ranked = {row["genre"] for row in by_size(gold)}
    genres = gold.tables[tables.MOVIE_SAMPLE.name]["genres"].to_pylist()
    by_genre: dict[str, list[float]] = {}
    for joined, roi in zip(genres, sample(gold)["roi"].tolist(), strict=True):
        if joined and roi > 0:
            for genre in ranked.intersection(joined.split("|")):
                by_genre.setdefault(genre, []).append(roi)
    return {genre: np.array(values) for genre, values in by_genre.items()}


def _count(gold: Gold) -> int:
    return int(np.count_nonzero(sample(gold)["roi"] > 0)) if _genres(gold) else 0


def _finding(gold: Gold) -> str:
    compared = [row for row in _genres(gold) if _boxed(row)]
    if not compared:
        return f"What {counted(_count(gold), 'movie')} returned on the budget, by genre"
    most = compared[0]["median_roi"]
    best = enumeration([one_line(row["genre"]) for row in compared if row["median_roi"] == most])
    return f"{best} movies returned most: a median of {multiple(most)} their budget"


def _reading(gold: Gold) -> str:
    genres, returns = _genres(gold), _returns(gold)
    parts = ["Each point is a movie, in all its genres."]
    if any(_boxed(row) for row in genres):
        parts.append(f"Boxes: median and middle half, from {BOX_FROM_MOVIES} movies on; whiskers 5% to 95%.")
    if house_axes.spans_decades(_shown(genres, returns)):
        parts.append("The outermost 1% on either side may be off the axis.")
    return " ".join(parts) + sampled_note(gold)


def _in_words(row: Row) -> str:
    return (
        f"{one_line(row['genre'])} {multiple(row['median_roi'])} (middle half {multiple(row['roi_p25'])} to"
        f" {multiple(row['roi_p75'])}, n = {row['movies_with_roi']:,})"
    )


def _figures(gold: Gold) -> str:
    return f"Medians: {summarise(_genres(gold), _in_words)}."


PLOT = Plot(
    name="roi_by_genre",
    subject="returns by genre",
    size_inches=(10, 7),
    count=_count,
    finding=_finding,
    reading=_reading,
    draw=draw_roi_by_genre,
    figures=_figures,
)
