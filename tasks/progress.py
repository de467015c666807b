"""How far an ingestion is: for the terminal, the log and Prefect's UI."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from uuid import UUID

from prefect.artifacts import acreate_progress_artifact, aupdate_progress_artifact

logger = logging.getLogger(__name__)

ARTIFACT_SECONDS = 3.0


class Progress:
    """Movies done out of those to fetch, and how many of them failed."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self.failed = 0
        self._started = time.monotonic()

    def advance(self, *, failed: bool) -> None:
        self.done += 1
        self.failed += failed
        if (listener := LISTENER.get()) is not None:
            listener(self)

    @property
    def percent(self) -> float:
        return 100.0 * self.done / self.total if self.total else 100.0

    @property
    def per_second(self) -> float:
        return self.done / max(time.monotonic() - self._started, 1e-9)

    def sentence(self) -> str:
        """Done, failed, rate and time left, in one line."""
        failed = f", {self.failed:,} failed" if self.failed else ""
        text = f"{self.done:,} of {self.total:,} movies{failed}, {self.per_second:,.0f} a second"
        left = (self.total - self.done) / self.per_second if self.done else 0
        return f"{text}, {left:,.0f} s left" if left >= 1 else text


# Called at every movie; the command line draws its bar with it.
LISTENER: ContextVar[Callable[[Progress], None] | None] = ContextVar("progress_listener", default=None)


@asynccontextmanager
async def progress_artifact(progress: Progress) -> AsyncIterator[None]:
    """Show the progress as an artifact, updated every few seconds and at the end."""
    shown: UUID | None = None

    async def show() -> None:
        nonlocal shown
        try:
            if shown is None:
                text = "Movies fetched of those to fetch"
                shown = await acreate_progress_artifact(
                    progress.percent, key="ingestion-progress", description=text
                )
            else:
                await aupdate_progress_artifact(shown, progress.percent)
        except Exception as error:  # the fetching is worth more than its picture
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
