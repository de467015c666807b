"""Ctrl-C: the first one drains to a checkpoint, the second one ends the run."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from tmdb.stop import Stop

logger = logging.getLogger(__name__)


class Interrupted(Exception):
    """Somebody pressed Ctrl-C, and the run drained to a checkpoint."""


@contextmanager
def drain_on_interrupt(stop: Stop) -> Iterator[None]:
    """Turn SIGINT into a stop for the length of the block; outside a main thread it is left alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()

    def drain(number: int, frame: FrameType | None) -> None:
        logger.warning("interrupted: what is in flight is being checkpointed; Ctrl-C again ends at once")
        signal.signal(signal.SIGINT, before)
        loop.call_soon_threadsafe(stop.set, Interrupted("Interrupted"))

    before = signal.signal(signal.SIGINT, drain)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
