"""Columns of numbers of single movies, to draw as points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from movies.lake import gold_tables as tables
from movies.report.gold import Gold, Row

Numbers = NDArray[np.float64]
Choice = NDArray[np.bool_]
MOST_NAMED = 9
# Up to this number, all movies are named.
ALL_NAMED_UP_TO = 25
COLUMNS = (
    "id",
    "release_year",
    "budget_musd",
    "revenue_musd",
    "roi",
    "vote_count",
    "vote_average",
    "popularity",
)


@dataclass(frozen=True)
class Points:
    """A column of numbers for each of COLUMNS; unknown values are NaN."""

    columns: Mapping[str, Numbers]

    def __getitem__(self, column: str) -> Numbers:
        return self.columns[column]

    def __len__(self) -> int:
        return len(self.columns["id"])

    def where(self, chosen: Choice) -> Points:
        """Select the movies for which the choice is true."""
        return Points({name: numbers[chosen] for name, numbers in self.columns.items()})


def sample(gold: Gold) -> Points:
    """Return the movies of `gold/movie_sample`."""
    table = gold.tables[tables.MOVIE_SAMPLE.name]
    # Not safe: numbers of votes may be too large for an exact double.
    return Points({name: np.asarray(table[name].cast("float64", safe=False).to_numpy()) for name in COLUMNS})


def sample_and_ranked(gold: Gold) -> Points:
    """Return the sample, with all ranked movies added."""
    sampled = sample(gold)
    ids = set(sampled["id"])
    others = {row["id"]: row for row in gold.rows(tables.MOVIE_RANKINGS, by="rank") if row["id"] not in ids}
    return Points(
        {
            name: np.append(sampled[name], np.array([row[name] for row in others.values()], dtype=np.float64))
            for name in COLUMNS
        }
    )


def notable(gold: Gold, rankings: Sequence[tuple[str, int]], columns: Sequence[str]) -> list[Row]:
    """Return the first movies of some rankings, each once, if their figures in the columns are known."""
    chosen: dict[int, Row] = {}
    for name, places in rankings:
        for row in gold.ranking(name)[:places]:
            if all(row[column] is not None for column in columns):
                chosen.setdefault(row["id"], row)
    return list(chosen.values())[:MOST_NAMED]


def named(gold: Gold, rankings: Sequence[tuple[str, int]], columns: Sequence[str]) -> list[Row]:
    """Return the movies to name in a plot: those of some rankings first, or all if there are few."""
    first = notable(gold, rankings, columns)
    if gold.movies > ALL_NAMED_UP_TO:
        return first
    ids = {row["id"] for row in first}
    others = [
        row
        for row in gold.rows(tables.MOVIE_SAMPLE, by="id")
        if row["id"] not in ids and all(row[column] is not None for column in columns)
    ]
    return [*first, *sorted(others, key=lambda row: -(row["vote_count"] or 0))]


def sampled_note(gold: Gold) -> str:
    """Return a sentence about the sample, or nothing if all movies are drawn."""
    drawn = gold.count(tables.MOVIE_SAMPLE)
    return f" Points: a sample of {drawn:,} of {gold.movies:,} movies." if gold.sampled else ""
