"""Ctrl-C, SIGTERM and cancellation: a fetching run drains to a checkpoint, any other run stops soon.

A second signal ends the process at once. That is safe at any moment, because commits are atomic and every
child process exits with its parent.
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
DRAINING = "saving a checkpoint; a second signal stops at once"
# How long a drained run may take to exit, because threads that draw or compute cannot be stopped.
# With tmdb.stop.GRACE_SECONDS before it, within the 10 seconds of `docker stop`.
END_SECONDS = 4.0
WAKE_SECONDS = 0.1
SHOW_CURSOR = b"\x1b[?25h"


class Interrupted(Exception):
    """Ctrl-C or SIGTERM came, and the run drained to a checkpoint."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(WORDS[number])
        self.status = 128 + number


class Terminated(KeyboardInterrupt):
    """SIGTERM came and there is nothing to drain; code that handles Ctrl-C handles this, too."""

    def __init__(self, text: str = "Terminated") -> None:
        super().__init__(text)


Draining = Callable[[Stop], AbstractContextManager[None]]


class Interrupts:
    """The handler of Ctrl-C and SIGTERM for a whole run.

    The flow runs in another thread, so that the main thread is free to handle signals. A signal is also
    stored, because an exception within an import or a destructor can get lost.
    """

    def __init__(self) -> None:
        self._number: signal.Signals | None = None
        self._act: Callable[[], object] | None = None
        # Whether a signal has cancelled the work instead of draining it.
        self._is_cancelled = False
        self._drain: Callable[[signal.Signals], object] | None = None
        # The original standard error: while Java starts, it goes to a file (spark.engines.java.stderr_to).
        self._stderr = 2
        # Whether the sentence about the interrupt is on the terminal.
        self.is_told = False

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Handle both signals during the block, and after a signal until the process exits."""
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
        """Raise KeyboardInterrupt if a signal cancelled the work, whose error is then a consequence.

        A library may convert the exception of a signal, as those written in Rust do in callbacks.
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

        self._act = lambda: None  # the loop checks for a signal itself
        self.check()
        threading.Thread(target=copy_context().run, args=(work,), name="flow", daemon=True).start()
        try:
            # The embedded engine installs its own handler of SIGINT below Python's, after which the
            # kernel restarts a wait instead of interrupting it: Python's handlers run between short waits.
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
        """Let the first signal set the stop during the block, instead of cancelling the run."""
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
        # Bypass all buffers and locks, which other threads may hold.
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
    """Return the exit status of a command that was interrupted."""
    return 128 + (signal.SIGTERM if isinstance(interrupt, Terminated) else signal.SIGINT)


def describe_interrupt(interrupt: KeyboardInterrupt) -> str:
    """Describe the state of a run that was interrupted."""
    word = WORDS[signal.SIGTERM if isinstance(interrupt, Terminated) else signal.SIGINT]
    return f"{word}: what is committed stays, and the next run goes on from there"


@contextmanager
def interrupts_raised() -> Iterator[None]:
    """Raise KeyboardInterrupt on Ctrl-C, and its subclass Terminated on SIGTERM, during the block.

    If a library has converted either of them, the original exception is raised.
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
    """Return a stop that Ctrl-C and SIGTERM set during the block; Prefect cancels by SIGTERM, too.

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
