"""What every source of ids is."""

from __future__ import annotations

from abc import abstractmethod
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from movies.tmdb.client import TmdbClient


@dataclass(frozen=True)
class Position:
    """How far the lake has come: what a source goes on from.

    All changes until `followed` are there; a walk over later ones that began at `broken_off` did not end.
    """

    followed: datetime | None = None
    broken_off: datetime | None = None
    oldest_fetch: datetime | None = None
    owed: array[int] = field(default_factory=lambda: array("q"))


@dataclass(frozen=True)
class Found:
    """The ids a source names, as 64-bit numbers.

    Where it knows since when each of them must have been fetched to be up to date, `needed_since` says so.
    `followed` is how far the lake has followed TMDB once all of them are there, and `begun` when the source
    was asked. `refused` counts what stands in its lists and is no movie.
    """

    movie_ids: array[int]
    needed_since: Sequence[datetime] | None = None
    begun: datetime | None = None
    followed: datetime | None = None
    refused: int = 0


class Tmdb(Protocol):
    """The server that a source may ask; it is connected to when it is first asked for."""

    async def client(self) -> TmdbClient: ...

    async def exports_url(self) -> str: ...


class Source(BaseModel):
    """A source of ids; its fields are the filters it takes.

    Its name is that of the class in small letters, and `meaning` says in a few words which ids it names.
    """

    meaning: ClassVar[str]

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @abstractmethod
    async def find(self, tmdb: Tmdb, position: Position) -> Found:
        """Name the ids.

        Raises:
            StoppedError: the run stops first.
            FatalError: they cannot all be had.
        """
