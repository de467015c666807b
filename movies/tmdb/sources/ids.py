"""Ids that somebody has written down."""

from __future__ import annotations

from array import array

from movies.tmdb.sources.source import Found, Position, Source, Tmdb


class Ids(Source):
    """The ids of the settings, or of whoever asks."""

    meaning = "those given"

    movie_ids: tuple[int, ...] = ()

    @property
    def found(self) -> Found:
        """The ids, which nobody has to be asked for."""
        return Found(array("q", self.movie_ids))

    async def find(self, tmdb: Tmdb, position: Position) -> Found:
        """Name them as they are."""
        return self.found
