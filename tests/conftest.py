"""Fixtures for every room."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Generator
from pathlib import Path
from typing import Any, TypeVar

import pytest

T = TypeVar("T")

# Fixtures of runs and their Prefect server; a room may have a server of its own.
pytest_plugins = ("tests.places",)

PROJECT_ROOT = Path(__file__).parent.parent


class SkippingClock(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer as soon as nothing else is to do.

    Otherwise a turn of the loop takes it a microsecond: a busy machine changes nothing that a test can see.
    """

    now_seconds = 1000.0

    def time(self) -> float:
        return self.now_seconds

    def _run_once(self) -> None:
        if not self._ready:  # type: ignore[attr-defined]
            # The loop drops cancelled timers itself, and then really waits for the next one.
            pending = [timer._when for timer in self._scheduled if not timer._cancelled]  # type: ignore[attr-defined]
            self.now_seconds = max(self.now_seconds, min(pending, default=0.0))
        self.now_seconds += 1e-6
        super()._run_once()  # type: ignore[misc]


@pytest.fixture
def run_skipping() -> Callable[[Coroutine[Any, Any, T]], T]:
    """Run a coroutine that waits for timers only, without waiting."""

    def run(coroutine: Coroutine[Any, Any, T]) -> T:
        with asyncio.Runner(loop_factory=SkippingClock) as runner:
            return runner.run(coroutine)

    return run


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with real payloads and what must come out of them, where there is one."""
    folder = PROJECT_ROOT.parent / "shared"
    if not (folder / "data").is_dir():
        reason = "the real payloads (../shared/data) are not here"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


def pytest_configure() -> None:
    """Let processes that tests start be interrupted, also where a script runs the tests in the background.

    There SIGINT is ignored, also by what they start: by a run, and by a Prefect worker, whom SIGTERM does not
    end then either, since it sends itself SIGINT. A signal that is handled here is at its default there.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test has failed: there everything that a test needs can be had."""
    report = yield
    if report.skipped and os.environ.get("CI"):
        report.outcome = "failed"
    return report
