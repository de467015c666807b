"""Stop a run early without losing what it has fetched."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")

# How long requests in flight may go on once a run stops.
GRACE_SECONDS = 4.0


class Stop:
    """A request to stop, with its reason; it ends every wait, and requests in flight may finish."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self.reason: BaseException | None = None
        self._callbacks: list[Callable[[], None]] = []

    @property
    def is_set(self) -> bool:
        return self._event.is_set()

    def set(self, reason: BaseException) -> None:
        """Stop for that reason; the first one counts."""
        if not self._event.is_set():
            self.reason = reason
            self._event.set()
            for callback in self._callbacks:
                callback()

    def on_set(self, callback: Callable[[], None]) -> None:
        """Call back when the stop is set; cheaper for many waiters than `wait`, which is a task each."""
        self._callbacks.append(callback)

    async def wait(self, seconds: float) -> bool:
        """Wait for some seconds or until the stop, and return whether it is set."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            pass
        return self.is_set

    async def finish(self, tasks: Sequence[asyncio.Task[T]]) -> list[T | None]:
        """Wait for all tasks; once stopped, for a few seconds only. A task cut off gives None."""
        everything = asyncio.gather(*tasks, return_exceptions=True)
        stopped = asyncio.create_task(self._event.wait())
        try:
            either: list[asyncio.Future[Any]] = [everything, stopped]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not everything.done():
                await asyncio.wait([everything], timeout=GRACE_SECONDS)
            for task in tasks:
                task.cancel()
            results = await everything
        finally:
            stopped.cancel()
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
                raise result
        return [None if isinstance(result, BaseException) else result for result in results]
