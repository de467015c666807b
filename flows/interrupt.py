"""Ctrl-C, SIGTERM and cancellation: a fetching run drains to a checkpoint first, any other run ends soon.

The second signal ends the process at once, whatever its threads do. That is safe at any moment: commits are
atomic, and every child process ends when its parent does.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import copy_context
from types import FrameType
from typing import NoReturn, TypeVar

from movies.tmdb.stop import Stop

logger = logging.getLogger(__name__)

T = TypeVar("T")

NUMBERS = (signal.SIGINT, signal.SIGTERM)
WORDS = {signal.SIGINT: "Interrupted", signal.SIGTERM: "Terminated"}
DRAINING = "what is in flight is being checkpointed; once more ends at once"
# How long a run may take to end that has nothing to drain, or has drained: threads that draw or compute
# cannot be stopped. With tmdb.stop.GRACE_SECONDS before it, within the 10 seconds of `docker stop`.
END_SECONDS = 4.0
WAKE_SECONDS = 0.1
SHOW_CURSOR = b"\x1b[?25h"


class Interrupted(Exception):
    """Ctrl-C or SIGTERM came, and the run drained to a checkpoint."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(WORDS[number])
        self.status = 128 + number


class Terminated(KeyboardInterrupt):
    """SIGTERM came where there is nothing to drain; all that handles Ctrl-C handles it, too."""

    def __init__(self, text: str = "Terminated") -> None:
        super().__init__(text)


Draining = Callable[[Stop], AbstractContextManager[None]]


class Interrupts:
    """The handler of Ctrl-C and SIGTERM for a whole run.

    The flow runs in a thread of its own, so that the main thread, which alone handles signals, is always free
    to do so. A signal is also remembered: within an import or a destructor, an exception can get lost.
    """

    def __init__(self) -> None:
        self._number: signal.Signals | None = None
        self._act: Callable[[], object] | None = None
        # Whether a signal has broken the work off, instead of asking it to drain.
        self._is_cancelled = False
        self._drain: Callable[[signal.Signals], object] | None = None
        # Standard error as it was: while Java starts, it goes to a file (spark.engines.java.stderr_to).
        self._stderr = 2
        # Whether the sentence about the interrupt is on the terminal.
        self.is_told = False

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Take both signals over for the length of the block; once one came, until the process ends."""
        self._stderr = os.dup(2)
        before = {number: signal.signal(number, self._on_signal) for number in NUMBERS}
        try:
            yield
        finally:
            if self._number is None:
                for number, handler in before.items():
                    signal.signal(number, handler)
                os.close(self._stderr)

    def check(self) -> None:
        """Raise KeyboardInterrupt if a signal came."""
        if self._number is not None:
            raise interrupt_of(self._number)

    def check_cancelled(self) -> None:
        """Raise KeyboardInterrupt if a signal broke the work off: whatever it fails with is a consequence.

        A library may turn the exception of a signal into one of its own, as those that are written in Rust do
        with whatever a callback raises.
        """
        if self._is_cancelled:
            logger.info("the run was interrupted", exc_info=True)
            self.check()

    def run(self, main: Callable[[], Awaitable[T]]) -> T:
        """Run a coroutine as asyncio.run does, in another thread; a signal cancels it."""

        async def cancellable() -> T:
            task = asyncio.current_task()
            assert task is not None
            loop = asyncio.get_running_loop()
            self._act = lambda: loop.call_soon_threadsafe(task.cancel)
            if self._number is not None:
                task.cancel()
            try:
                return await main()
            finally:
                self._act = lambda: None

        result: Future[T] = Future()

        def work() -> None:
            try:
                result.set_result(asyncio.run(cancellable()))
            except BaseException as error:
                result.set_exception(error)

        self._act = lambda: None  # the loop looks by itself whether a signal came
        self.check()
        threading.Thread(target=copy_context().run, args=(work,), name="flow", daemon=True).start()
        try:
            # The embedded engine installs a handler of SIGINT of its own, below Python's, after which the
            # kernel restarts a wait instead of breaking it off: Python's handlers run between short waits.
            while not result.done():
                wait([result], timeout=WAKE_SECONDS)
            return result.result()
        except (asyncio.CancelledError, Exception):
            self.check_cancelled()  # the embedded engine stops, for one
            raise
        finally:
            self._act = None

    @contextmanager
    def draining(self, stop: Stop) -> Iterator[None]:
        """Let the first signal set the stop for the length of the block, instead of a cancellation."""
        loop = asyncio.get_running_loop()

        def drain(number: signal.Signals) -> None:
            logger.warning("%s: %s", WORDS[number], DRAINING)
            loop.call_soon_threadsafe(stop.set, Interrupted(number))

        before, self._drain = self._drain, drain
        try:
            yield
        finally:
            self._drain = before
            if self._number is not None:
                self._end_within(self._number)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._number is not None:
            self._end(self._number)
        self._number = signal.Signals(number)
        if self._drain is not None:
            self._drain(self._number)
            return
        self._end_within(self._number)
        self._is_cancelled = True
        if self._act is None:
            raise interrupt_of(self._number)
        self._act()

    def _end_within(self, number: signal.Signals) -> None:
        timer = threading.Timer(END_SECONDS, self._end, (number,))
        timer.daemon = True
        timer.start()

    def _end(self, number: signal.Signals) -> NoReturn:
        # Past all buffers and locks, which other threads may hold.
        with suppress(OSError, ValueError, AttributeError):
            if os.isatty(sys.stdout.fileno()):
                os.write(sys.stdout.fileno(), SHOW_CURSOR)
        with suppress(OSError):
            if not self.is_told:
                os.write(self._stderr, f"Error: {describe_interrupt(interrupt_of(number))}\n".encode())
        os._exit(128 + number)


def interrupt_of(number: signal.Signals) -> KeyboardInterrupt:
    """Make the exception that stands for a signal."""
    return Terminated() if number == signal.SIGTERM else KeyboardInterrupt()


def interrupt_status(interrupt: KeyboardInterrupt) -> int:
    """Return the exit status of a command that ends with it (contract, section 1)."""
    return 128 + (signal.SIGTERM if isinstance(interrupt, Terminated) else signal.SIGINT)


def describe_interrupt(interrupt: KeyboardInterrupt) -> str:
    """Say what became of a run that ended with it."""
    word = WORDS[signal.SIGTERM if isinstance(interrupt, Terminated) else signal.SIGINT]
    return f"{word}: what is committed stays, and the next run goes on from there"


@contextmanager
def interrupts_raised() -> Iterator[None]:
    """Raise KeyboardInterrupt on Ctrl-C, and its kind Terminated on SIGTERM, for the length of the block.

    What a library makes of either on its way is turned back.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[signal.Signals] = []

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        came.append(signal.Signals(number))
        raise interrupt_of(came[0])

    before = {number: signal.signal(number, interrupt) for number in NUMBERS}
    try:
        yield
    except Exception as error:
        if came:
            raise interrupt_of(came[0]) from error
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def stop_on_signals(draining: Draining | None) -> Iterator[Stop]:
    """Give a stop that Ctrl-C and SIGTERM, also as the end that Prefect asks for, set during the block.

    The command line's handler sets it (`Interrupts.draining`); without one, a handler of its own does, in the
    main thread.
    """
    stop = Stop()
    if draining is not None:
        with draining(stop):
            yield stop
        return
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    from prefect.exceptions import TerminationSignal

    loop = asyncio.get_running_loop()
    reasons: dict[signal.Signals, BaseException] = {
        signal.SIGINT: Interrupted(signal.SIGINT),
        signal.SIGTERM: TerminationSignal(signal.SIGTERM),
    }
    before = {number: signal.getsignal(number) for number in reasons}

    def drain(number: int, frame: FrameType | None) -> None:
        signal.signal(number, before[signal.Signals(number)])
        logger.warning("%s: %s", WORDS[signal.Signals(number)], DRAINING)
        loop.call_soon_threadsafe(stop.set, reasons[signal.Signals(number)])

    for number in reasons:
        signal.signal(number, drain)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
