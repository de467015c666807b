"""The base class of sources of ids."""

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
    """The state of the lake from which a source continues.

    Changes are processed up to `followed`; a later scan began at `broken_off` and is unfinished. `owed` are
    the movies pending retry.
    """

    followed: datetime | None = None
    broken_off: datetime | None = None
    oldest_fetch: datetime | None = None
    owed: array[int] = field(default_factory=lambda: array("q"))


@dataclass(frozen=True)
class Found:
    """The ids that a source has found, as 64-bit numbers.

    Each movie must have been fetched since its moment in `needed_since`, if set. `followed` is the change
    cursor after all ids are fetched, and `begun` is the start of the scan. `refused` counts invalid entries.
    """

    movie_ids: array[int]
    needed_since: Sequence[datetime] | None = None
    begun: datetime | None = None
    followed: datetime | None = None
    refused: int = 0


class Tmdb(Protocol):
    """The server for a source's requests; the connection is opened at first use."""

    async def client(self) -> TmdbClient: ...

    async def exports_url(self) -> str: ...


class Source(BaseModel):
    """A source of ids; its fields are its filters.

    Its name is the class name in small letters, and `meaning` describes its ids in a few words.
    """

    meaning: ClassVar[str]

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @abstractmethod
    async def find(self, tmdb: Tmdb, position: Position) -> Found:
        """Find the ids.

        Raises:
            StoppedError: the run stops first.
            FatalError: not all ids could be fetched.
        """
