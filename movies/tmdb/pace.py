"""When the next request may go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from math import inf

from aiolimiter import AsyncLimiter

from movies.tmdb.stop import Stop
from movies.tmdb.usage import Usage

# What is left unused of a rate, so that a request that goes up to 20 ms late is made up for within the rate.
SPARE_SHARE = 0.02
LOWEST_REQUESTS_PER_SECOND = 1.0
# Refusals of requests that were in flight together are one refusal.
SAME_BURST_SECONDS = 1.0
# What comes back, of the rate that the run may use, in each second without a refusal.
RECOVERY_PER_SECOND = 0.05
# A recovering rate is put into force in steps: each needs a bucket of its own.
STEP_SHARE = 0.02


class Pace:
    """A ceiling of requests a second, a bound on requests in flight, and pauses the server asks for.

    The ceiling is kept over every one-second window: a bucket of n tokens would let 2n requests pass within
    its first second, so the bucket is small and drains slightly more slowly than the wanted rate. It may be
    limited to less than the ceiling, and slowed down when the server refuses.
    """

    def __init__(self, requests_per_second: float, concurrency: int) -> None:
        self._ceiling = self._limit = self._slowed_to = requests_per_second
        self._slowed_at = -inf
        self._paused_until = 0.0
        self._bucket, self._bucket_rate = _bucket(requests_per_second), requests_per_second
        # One waits at the bucket and the others behind it, so that a change of rate holds for all who wait.
        self._head_of_queue = asyncio.Lock()
        self._slots = asyncio.Semaphore(concurrency)
        self.usage = Usage(concurrency)

    @property
    def ceiling(self) -> float:
        """The most requests a second that it ever gives turns for."""
        return self._ceiling

    @property
    def requests_per_second(self) -> float:
        """The rate at this moment: the limit, or less while it recovers from a refusal."""
        seconds = _now() - max(self._slowed_at, self._paused_until)
        return min(self._limit, self._slowed_to + max(0.0, seconds) * RECOVERY_PER_SECOND * self._limit)

    def limit(self, requests_per_second: float) -> None:
        """Use so much of the ceiling from now on, and never more than it."""
        self._limit = min(self._ceiling, requests_per_second)

    def slow_down(self) -> None:
        """Halve the rate, once for all refusals of a burst; it comes back slowly while there are no more."""
        now = _now()
        if now >= self._slowed_at + SAME_BURST_SECONDS:
            rate = self.requests_per_second
            self._slowed_to = max(rate / 2, min(rate, LOWEST_REQUESTS_PER_SECOND))
            self._slowed_at = now

    def pause(self, seconds: float) -> None:
        """Hold every request back for so long; a shorter pause never cuts a longer one."""
        self._paused_until = max(self._paused_until, _now() + seconds)

    @property
    def pause_left_seconds(self) -> float:
        return max(0.0, self._paused_until - _now())

    @asynccontextmanager
    async def turn(self, stop: Stop, is_held: Callable[[], bool] = lambda: False) -> AsyncIterator[None]:
        """Wait for a turn, and hold one place in flight for the length of the block.

        A stop ends the waiting, and so does `is_held`: the block then begins at once, and has to look for it.
        """
        while True:
            # A pause is waited out with no place in flight, so that places are there for all when it ends.
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
        """How many requests in flight would reach the rate, if places in flight held this run back."""
        return self.usage.concurrency_for(self._limit)

    async def _wait_for_bucket(self) -> None:
        rate = self.requests_per_second
        is_step = rate > self._bucket_rate * (1 + STEP_SHARE) or rate == self._limit
        if rate < self._bucket_rate or (rate > self._bucket_rate and is_step):
            self._bucket, self._bucket_rate = _bucket(rate), rate
            # Full, or each change would let a few requests pass at once.
            await self._bucket.acquire(self._bucket.max_rate)
        await self._bucket.acquire()


def _bucket(requests_per_second: float) -> AsyncLimiter:
    """A bucket that lets at most so many requests pass in any second, the first of a new one included."""
    rate = requests_per_second * (1 - SPARE_SHARE)
    # In a second pass at most `size + rate` requests, which is less than one more than wanted.
    size = 1 + requests_per_second * SPARE_SHARE * (1 - SPARE_SHARE)
    return AsyncLimiter(size, size / rate)


def _now() -> float:
    return asyncio.get_running_loop().time()
