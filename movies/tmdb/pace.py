"""Limits the rate of requests and the requests in flight."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from math import inf

from aiolimiter import AsyncLimiter

from movies.tmdb.stop import Stop
from movies.tmdb.usage import Usage

# Unused share of a rate, so that a request that is up to 20 ms late does not break the limit.
SPARE_SHARE = 0.02
LOWEST_REQUESTS_PER_SECOND = 1.0
# 429s within this time come from requests that were in flight together, and count once.
SAME_BURST_SECONDS = 1.0
# Share of the limit by which the rate recovers in each second without a 429.
RECOVERY_PER_SECOND = 0.05
# A rate recovers in steps of this share, because each step needs a new bucket.
STEP_SHARE = 0.02


class Pace:
    """Limits requests a second and requests in flight, and pauses when the server asks for it.

    No window of one second has more requests than the ceiling. A bucket of n tokens would let 2n requests
    pass in its first second, so the bucket is small and drains slightly more slowly than the wanted rate. The
    rate may be limited to less than the ceiling, and it is slowed down when the server answers 429.
    """

    def __init__(self, requests_per_second: float, concurrency: int) -> None:
        self._ceiling = self._limit = self._slowed_to = requests_per_second
        self._slowed_at = -inf
        self._paused_until = 0.0
        self._bucket, self._bucket_rate = _bucket(requests_per_second), requests_per_second
        # Only one waits for the bucket at a time, so a change of rate applies to all that wait.
        self._head_of_queue = asyncio.Lock()
        self._slots = asyncio.Semaphore(concurrency)
        self.usage = Usage(concurrency)

    @property
    def ceiling(self) -> float:
        """The highest rate, in requests a second."""
        return self._ceiling

    @property
    def requests_per_second(self) -> float:
        """The present rate: the limit, or less while it recovers from a 429."""
        seconds = _now() - max(self._slowed_at, self._paused_until)
        return min(self._limit, self._slowed_to + max(0.0, seconds) * RECOVERY_PER_SECOND * self._limit)

    def limit(self, requests_per_second: float) -> None:
        """Set the limit, which is never more than the ceiling."""
        self._limit = min(self._ceiling, requests_per_second)

    def slow_down(self) -> None:
        """Halve the rate, once for all 429s of a burst; it recovers slowly while there are no more."""
        now = _now()
        if now >= self._slowed_at + SAME_BURST_SECONDS:
            rate = self.requests_per_second
            self._slowed_to = max(rate / 2, min(rate, LOWEST_REQUESTS_PER_SECOND))
            self._slowed_at = now

    def pause(self, seconds: float) -> None:
        """Pause all requests; a shorter pause never cuts a longer one."""
        self._paused_until = max(self._paused_until, _now() + seconds)

    @property
    def pause_left_seconds(self) -> float:
        return max(0.0, self._paused_until - _now())

    @asynccontextmanager
    async def turn(self, stop: Stop, is_held: Callable[[], bool] = lambda: False) -> AsyncIterator[None]:
        """Wait for a turn, and hold one place in flight for the length of the block.

        If `stop` is set or `is_held` is true, the block begins at once and must check for it.
        """
        while True:
            # Wait for the end of a pause without a place in flight, so all places are free then.
            while not (stop.is_set or is_held()) and (seconds := self.pause_left_seconds) > 0:
                await stop.wait(seconds)
            with self.usage.waiting():
                await self._slots.acquire()
            try:
                async with self._head_of_queue:
                    if not (stop.is_set or is_held()):
                        await self._wait_for_bucket()
                if not (stop.is_set or is_held()) and self.pause_left_seconds > 0:
                    continue
                with self.usage.in_flight():
                    yield
                return
            finally:
                self._slots.release()

    @property
    def concurrency_to_set(self) -> int | None:
        """Requests in flight needed to reach the limit, if the present number slowed this run; or None."""
        return self.usage.concurrency_for(self._limit)

    async def _wait_for_bucket(self) -> None:
        rate = self.requests_per_second
        is_step = rate > self._bucket_rate * (1 + STEP_SHARE) or rate == self._limit
        if rate < self._bucket_rate or (rate > self._bucket_rate and is_step):
            self._bucket, self._bucket_rate = _bucket(rate), rate
            # Fill it, or each change would let a few requests pass at once.
            await self._bucket.acquire(self._bucket.max_rate)
        await self._bucket.acquire()


def _bucket(requests_per_second: float) -> AsyncLimiter:
    """Build a bucket that lets at most this many requests pass in any second, including its first."""
    rate = requests_per_second * (1 - SPARE_SHARE)
    # In a second pass at most `size + rate` requests, which is less than one more than wanted.
    size = 1 + requests_per_second * SPARE_SHARE * (1 - SPARE_SHARE)
    return AsyncLimiter(size, size / rate)


def _now() -> float:
    return asyncio.get_running_loop().time()
