"""Commit fetched movies to the raw tables, one batch at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from deltalake import Transaction

from movies.lake.arrow import arrow_rows
from movies.lake.commits import Appender
from movies.lake.delta import TableVersion
from movies.lake.tables import FETCH_FAILURES, RAW_MOVIES


class MovieRow(Protocol):
    """A row of `raw/movies`: a fetched movie."""

    @property
    def movie_id(self) -> int: ...
    @property
    def payload(self) -> str: ...
    @property
    def fetched_at(self) -> datetime: ...


class FailureRow(Protocol):
    """A row of `raw/fetch_failures`: a movie that could not be fetched."""

    @property
    def movie_id(self) -> int: ...
    @property
    def reason(self) -> str: ...
    @property
    def detail(self) -> str: ...
    @property
    def http_status(self) -> int | None: ...
    @property
    def attempts(self) -> int: ...
    @property
    def failed_at(self) -> datetime: ...


@dataclass
class Batch:
    """Movies and failures that several tasks hand in and one commit writes."""

    batch_id: str
    parts_missing: int
    committed: asyncio.Future[None]
    movies: list[MovieRow] = field(default_factory=list)
    failures: list[FailureRow] = field(default_factory=list)


class Committer:
    """The only committer of both raw tables in a run; use it in the event loop that created it.

    `marks` go into the log with each batch of movies. Movies are left out if another run has committed them
    since `planned_at`, the version of `raw/movies` that the work list was planned from.
    """

    def __init__(
        self,
        lake_root: str,
        *,
        source: str,
        run_id: str,
        marks: Sequence[Transaction] = (),
        planned_at: TableVersion | Literal["now"] | None = "now",
    ) -> None:
        self._movies = Appender(RAW_MOVIES, lake_root, source, "movie_id", planned_at)
        self._failures = Appender(FETCH_FAILURES, lake_root, source)
        self._source = source
        self._run_id = run_id
        self._marks = marks
        self._batches = 0
        self._one_at_a_time = asyncio.Lock()

    @property
    def commits(self) -> int:
        return self._movies.commits

    def open_batch(self, parts: int) -> Batch:
        """Begin a batch that is committed once this many parts are handed in."""
        self._batches += 1
        batch_id = f"{self._run_id}-{self._batches:06d}"
        return Batch(batch_id, parts, asyncio.get_running_loop().create_future())

    async def hand_in(self, batch: Batch, movies: Iterable[MovieRow], failures: Iterable[FailureRow]) -> None:
        """Add a part to its batch, and return once the whole batch is committed.

        Raises:
            LakeError: the batch could not be committed; every part of it gets the same error.
        """
        batch.movies.extend(movies)
        batch.failures.extend(failures)
        batch.parts_missing -= 1
        if batch.parts_missing == 0:
            await self._commit(batch)
        else:
            await asyncio.shield(batch.committed)

    async def _commit(self, batch: Batch) -> None:
        try:
            async with self._one_at_a_time:
                # Shielded: a cancelled run still learns whether its last batch was committed.
                await asyncio.shield(asyncio.to_thread(self._write, batch))
        except BaseException as error:
            batch.committed.set_exception(error)
            batch.committed.exception()  # the last part may be the only one, and raises it itself
            raise
        batch.committed.set_result(None)

    def _write(self, batch: Batch) -> None:
        # Movies first: a crash between the two commits loses only failures, whose ids are requested again.
        if batch.movies:
            rows = arrow_rows(RAW_MOVIES, batch.movies, batch_id=batch.batch_id, source=self._source)
            batch.movies.clear()  # the rows have them, and payloads are large
            self._movies.append(rows, batch.batch_id, self._marks)
        if batch.failures:
            rows = arrow_rows(FETCH_FAILURES, batch.failures, batch_id=batch.batch_id)
            self._failures.append(rows, batch.batch_id)
