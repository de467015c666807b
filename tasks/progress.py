"""The progress of an ingestion, for the terminal, the log and Prefect's UI."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from uuid import UUID

from prefect.artifacts import acreate_progress_artifact, aupdate_progress_artifact

from movies.tmdb.client import FetchStats, tally

logger = logging.getLogger(__name__)

ARTIFACT_SECONDS = 3.0


class Progress:
    """Counts of done, failed and remaining movies, and of errors."""

    def __init__(self, total: int, stats: FetchStats, show: Callable[[Progress], None] | None = None) -> None:
        self.total = total
        self.done = 0
        self.failed = 0
        self._stats = stats
        # Called at every movie.
        self._show = show
        self._started = time.monotonic()

    def advance(self, *, failed: bool) -> None:
        self.done += 1
        self.failed += failed
        if self._show is not None:
            try:
                self._show(self)
            except Exception as error:  # for example because the terminal is closed
                self._show = None
                logger.warning("the progress is no longer shown: %s", error)

    @property
    def percent(self) -> float:
        return 100.0 * self.done / self.total if self.total else 100.0

    @property
    def per_second(self) -> float:
        return self.done / max(time.monotonic() - self._started, 1e-9)

    def note(self) -> str:
        """Describe rate, failures and retries, and the errors by kind."""
        parts = [f"{self.per_second:,.0f} a second"]
        if self.failed:
            parts.append(f"{self.failed:,} failed")
        if self._stats.retries:
            parts.append(f"{self._stats.retries:,} retries")
        if self._stats.errors:
            parts.append(tally(self._stats.errors))
        return ", ".join(parts)

    def sentence(self) -> str:
        """Describe the progress with the time left, in one line."""
        text = f"{self.done:,} of {self.total:,} movies, {self.note()}"
        left = timedelta(seconds=round((self.total - self.done) / self.per_second)) if self.done else None
        return f"{text}, {left} left" if left else text


@asynccontextmanager
async def progress_artifact(progress: Progress) -> AsyncIterator[None]:
    """Show the progress as an artifact, updated every few seconds and at the end."""
    shown: UUID | None = None

    async def show() -> None:
        nonlocal shown
        try:
            if shown is None:
                shown = await acreate_progress_artifact(
                    progress.percent, key="ingestion-progress", description=progress.sentence()
                )
            else:
                await aupdate_progress_artifact(shown, progress.percent, progress.sentence())
        except Exception as error:  # the fetching goes on without it
            logger.warning("the progress could not be shown: %s", error)

    async def keep_showing() -> None:
        while True:
            await asyncio.sleep(ARTIFACT_SECONDS)
            logger.info("%s", progress.sentence())
            await show()

    await show()
    updates = asyncio.create_task(keep_showing())
    try:
        yield
    finally:
        updates.cancel()
        with suppress(asyncio.CancelledError):
            await updates
        await show()
