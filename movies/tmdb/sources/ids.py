"""The source of ids from settings or the command line."""

from __future__ import annotations

from array import array

from movies.tmdb.sources.source import Found, Position, Source, Tmdb


class Ids(Source):
    """Given ids: those of the settings, or of the caller."""

    meaning = "those given"

    movie_ids: tuple[int, ...] = ()

    @property
    def found(self) -> Found:
        """The ids, which need no request."""
        return Found(array("q", self.movie_ids))

    async def find(self, tmdb: Tmdb, position: Position) -> Found:
        """Return the ids as they are."""
        return self.found
