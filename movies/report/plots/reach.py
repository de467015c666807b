"""What plots can draw of the gold tables: figures that axes reach, and years near the others."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from movies.lake.gold_tables import MOVIE_SAMPLE
from movies.report.gold import Gold
from movies.report.plots.movies import Numbers

# Axes square and raise what they are given; no dollars, votes or ratings that are meant come near to these.
LARGEST_FIGURE = 1e30
LARGEST_RATING = 100.0
RATINGS = ("vote_average", "mean_rating", "median_rating")
# A movie of so many years before or after the middle one has a mistyped date, and would flatten a time axis.
YEARS_BEFORE, YEARS_AFTER = 150, 50


def within_reach(gold: Gold) -> tuple[Gold, int]:
    """The tables with figures beyond all axes made unknown, and how many movies of the sample have such."""
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
    """The first and the last year that are near to the middle movie's.

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
