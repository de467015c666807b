"""Measures how the places for requests in flight were used."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil

# In a shorter run the first requests, which open connections, distort the mean.
LEAST_ROUNDS = 4
MOST_OF_THE_TIME = 0.5


class Usage:
    """Adds up how long requests were in flight, and how long others waited for a place."""

    def __init__(self, concurrency: int) -> None:
        self._concurrency = concurrency
        self._waiting = self._in_flight = self._requests = 0
        self._noted_at = 0.0
        self._busy_seconds = self._full_seconds = self._request_seconds = 0.0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count a waiting request for the length of the block."""
        self._note()
        self._waiting += 1
        try:
            yield
        finally:
            self._note()
            self._waiting -= 1

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """Count a request in flight for the length of the block."""
        self._note()
        self._in_flight += 1
        self._requests += 1
        try:
            yield
        finally:
            self._note()
            self._in_flight -= 1

    def concurrency_for(self, requests_per_second: float) -> int | None:
        """Return the rate times the mean latency, if all places were in use for most of the time.

        Return None if they were not, or if the result is not more than the present number.
        """
        is_short = self._requests < LEAST_ROUNDS * self._concurrency
        if is_short or self._full_seconds <= MOST_OF_THE_TIME * self._busy_seconds:
            return None
        wanted = ceil(round(requests_per_second * self._request_seconds / self._requests, 1))
        return wanted if wanted > self._concurrency else None

    def _note(self) -> None:
        now = asyncio.get_running_loop().time()
        passed, self._noted_at = now - self._noted_at, now
        if self._in_flight:
            self._busy_seconds += passed
            self._request_seconds += passed * self._in_flight
            if self._waiting and self._in_flight == self._concurrency:
                self._full_seconds += passed
