"""Ctrl-C: a fetching run drains to a checkpoint first, any other ends; a second one always ends it."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

from tmdb.stop import Stop

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Interrupted(Exception):
    """Somebody pressed Ctrl-C, and the run drained to a checkpoint."""


class Interrupts:
    """The handler of Ctrl-C for a whole run.

    An interrupt is also remembered: within an import or a destructor, a KeyboardInterrupt can get lost.
    """

    def __init__(self) -> None:
        self._came = False
        self._act: Callable[[], object] | None = None

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Take SIGINT over for the length of the block."""
        before = signal.signal(signal.SIGINT, self._on_interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def check(self) -> None:
        """Raise KeyboardInterrupt where one came."""
        if self._came:
            raise KeyboardInterrupt

    def run(self, main: Callable[[], Awaitable[T]]) -> T:
        """Run a coroutine as asyncio.run does; an interrupt cancels it."""

        async def cancellable() -> T:
            task = asyncio.current_task()
            assert task is not None
            loop = asyncio.get_running_loop()
            self._act = lambda: loop.call_soon_threadsafe(task.cancel)
            try:
                return await main()
            finally:
                self._act = None

        self.check()
        try:
            return asyncio.run(cancellable())
        except asyncio.CancelledError:
            self.check()
            raise

    def _on_interrupt(self, number: int, frame: FrameType | None) -> None:
        self._came = True
        if self._act is None:
            raise KeyboardInterrupt
        self._act()


@contextmanager
def drain_on_interrupt(stop: Stop) -> Iterator[None]:
    """Turn SIGINT into a stop for the length of the block; outside a main thread it is left alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()

    def drain(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        logger.warning("Interrupted: what is in flight is being checkpointed; Ctrl-C again ends at once")
        loop.call_soon_threadsafe(stop.set, Interrupted("Interrupted"))

    before = signal.signal(signal.SIGINT, drain)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
