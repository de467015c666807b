"""Limit gold tables to what axes can show: finite figures, and years near the others."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from movies.lake.gold_tables import MOVIE_SAMPLE
from movies.report.gold import Gold
from movies.report.plots.movie_points import Numbers

# Axes square their values, which must stay finite. No real money, votes or ratings are near these limits.
LARGEST_FIGURE = 1e30
LARGEST_RATING = 100.0
RATINGS = ("vote_average", "mean_rating", "median_rating")
# A release this many years before or after the median is a typo, and would make the time axis useless.
YEARS_BEFORE, YEARS_AFTER = 150, 50


def within_reach(gold: Gold) -> tuple[Gold, int]:
    """Replace figures beyond all axes by null, and count the movies of the sample that have such figures."""
    beyond = {
        (name, column): mask
        for name, table in gold.tables.items()
        for column in table.column_names
        if pa.types.is_floating(table.schema.field(column).type)
        and pc.any(mask := _is_beyond(table[column], column)).as_py()
    }
    tables = dict(gold.tables)
    movies = np.zeros(gold.count(MOVIE_SAMPLE), dtype=bool)
    for (name, column), mask in beyond.items():
        table = tables[name]
        known = pc.if_else(mask, pa.scalar(None, table[column].type), table[column])
        tables[name] = table.set_column(table.column_names.index(column), column, known)
        if name == MOVIE_SAMPLE.name:
            movies |= mask.to_numpy()
    return Gold(tables), int(np.count_nonzero(movies))


def _is_beyond(values: pa.ChunkedArray, column: str) -> pa.ChunkedArray:
    largest = LARGEST_RATING if column in RATINGS else LARGEST_FIGURE
    return pc.fill_null(pc.greater(pc.abs(values), largest), False)


def span_of_years(years: Numbers, movies: Numbers | None = None) -> tuple[float, float]:
    """Return the first and the last year near the median movie's.

    Years are those of single movies in any order, or ascending with the number of `movies` of each.
    """
    if movies is None:
        years, counts = np.unique(years[~np.isnan(years)], return_counts=True)
        movies = counts.astype(np.float64)
    if not len(years):
        return 0.0, 0.0
    middle = years[np.searchsorted(np.cumsum(movies), np.sum(movies) / 2)]
    near = years[(years >= middle - YEARS_BEFORE) & (years <= middle + YEARS_AFTER)]
    return float(near[0]), float(near[-1])
