"""When the next request may go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiolimiter import AsyncLimiter

from tmdb.stop import Stop


class Pace:
    """A ceiling of requests a second, a bound on requests in flight, and pauses the server asks for.

    The ceiling is kept over every one-second window, give or take one request: two at a time at slightly
    less than the wanted rate, since a bucket of n tokens would let 2n requests pass within its first second.
    """

    def __init__(self, requests_per_second: float, concurrency: int) -> None:
        rate = requests_per_second - min(0.5, 0.02 * requests_per_second)
        self._limiter = AsyncLimiter(2, 2 / rate)
        self._slots = asyncio.Semaphore(concurrency)
        self._paused_until = 0.0

    def pause(self, seconds: float) -> None:
        """Hold every request back for so long; a shorter pause never cuts a longer one."""
        self._paused_until = max(self._paused_until, _now() + seconds)

    @property
    def pause_left_seconds(self) -> float:
        return max(0.0, self._paused_until - _now())

    @asynccontextmanager
    async def turn(self, stop: Stop) -> AsyncIterator[None]:
        """Wait for a turn, and hold one place in flight for the length of the block.

        A stop ends the waiting: the block then begins at once, and has to look for it.
        """
        while True:
            # A pause is waited out with no place in flight, so that places are there for all when it ends.
            while not stop.is_set and (seconds := self.pause_left_seconds) > 0:
                await stop.wait(seconds)
            async with self._slots:
                if not stop.is_set:
                    await self._limiter.acquire()
                if not stop.is_set and self.pause_left_seconds > 0:
                    continue
                yield
                return


def _now() -> float:
    return asyncio.get_running_loop().time()
