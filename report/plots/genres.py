"""The genres that plots have rows for."""

from __future__ import annotations

from lake.tables import GENRES
from report.gold import Gold, Row

# TMDB has 19; more rows than this would not be read.
MOST_GENRES = 20


def by_size(gold: Gold) -> list[Row]:
    """All genres, those with most movies first; equal ones by name."""
    return sorted(gold.rows(GENRES, by="genre"), key=lambda row: -row["movies"])
