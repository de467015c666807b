"""The genres that plots show."""

from __future__ import annotations

from collections.abc import Callable

from movies.lake.gold_tables import GENRES
from movies.report.formats import counted
from movies.report.gold import Gold, Row

# Maximum rows of a plot; TMDB has 19 genres.
MOST_GENRES = 20
# The largest genres are chosen from at most this many, because payloads may have any names of genres.
MOST_RANKED = 500
# Maximum genres in a description, which screen readers read aloud.
MOST_SUMMARISED = 6


def summarise(rows: list[Row], words: Callable[[Row], str]) -> str:
    """Describe the first genres, and count the others."""
    texts = [words(row) for row in rows[:MOST_SUMMARISED]]
    following = len(rows) - len(texts)
    return "; ".join([*texts, f"and {counted(following, 'other')}"] if following else texts)


def by_size(gold: Gold) -> list[Row]:
    """Return the largest genres by number of movies, then name."""
    ordered = gold.tables[GENRES.name].sort_by([("movies", "descending"), ("genre", "ascending")])
    rows: list[Row] = ordered.slice(0, MOST_RANKED).to_pylist()
    return rows
