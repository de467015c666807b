"""The genres that plots have rows for."""

from __future__ import annotations

from collections.abc import Callable

from movies.lake.gold_tables import GENRES
from movies.report.formats import counted
from movies.report.gold import Gold, Row

# TMDB has 19; more rows than this would not be read.
MOST_GENRES = 20
# A payload may name as many genres as it likes: of so many the largest are chosen.
MOST_RANKED = 500
# A description of more would not be listened to.
MOST_TOLD = 6


def tell(rows: list[Row], words: Callable[[Row], str]) -> str:
    """The first genres in words, and how many follow."""
    told = [words(row) for row in rows[:MOST_TOLD]]
    following = len(rows) - len(told)
    return "; ".join([*told, f"and {counted(following, 'other')}"] if following else told)


def by_size(gold: Gold) -> list[Row]:
    """The genres with most movies, largest first; equal ones by name."""
    ordered = gold.tables[GENRES.name].sort_by([("movies", "descending"), ("genre", "ascending")])
    rows: list[Row] = ordered.slice(0, MOST_RANKED).to_pylist()
    return rows
