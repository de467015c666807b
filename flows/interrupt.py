"""Ctrl-C and cancellation: a fetching run drains to a checkpoint first, any other ends.

A second one always ends it.
"""

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
def stop_on_signals() -> Iterator[Stop]:
    """A stop that Ctrl-C and the end that Prefect asks for (SIGTERM) set, for the length of the block.

    Outside a main thread, where no signals arrive, nothing sets it.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    # Not before: the command line takes Ctrl-C over while Prefect is still being imported.
    from prefect.exceptions import TerminationSignal

    loop = asyncio.get_running_loop()
    reasons: dict[signal.Signals, BaseException] = {
        signal.SIGINT: Interrupted("Interrupted"),
        signal.SIGTERM: TerminationSignal(signal.SIGTERM),
    }
    before = {number: signal.getsignal(number) for number in reasons}

    def drain(number: int, frame: FrameType | None) -> None:
        signal.signal(number, before[signal.Signals(number)])
        logger.warning("Interrupted: what is in flight is being checkpointed; once more ends at once")
        loop.call_soon_threadsafe(stop.set, reasons[signal.Signals(number)])

    for number in reasons:
        signal.signal(number, drain)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
