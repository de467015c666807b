"""Retry policy: number of tries and waits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import backoff

# A longer wait is a wrong clock or an invalid header.
LONGEST_RETRY_AFTER = 366 * 86_400.0


@dataclass(frozen=True)
class RetryPolicy:
    """Number of retries and longest time for one movie, without queues and pauses."""

    max_retries: int = 5
    max_total_seconds: float = 300.0
    base_seconds: float = 0.5
    max_wait_seconds: float = 30.0

    def waits(self) -> Iterator[float]:
        """Yield the seconds before each of `max_retries` retries: exponential with full jitter."""
        bounds = backoff.expo(base=2, factor=self.base_seconds, max_value=self.max_wait_seconds)
        next(bounds)  # the first value of a backoff generator is None
        for _ in range(self.max_retries):
            yield backoff.full_jitter(next(bounds))


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds to wait from a `Retry-After` header in seconds or as a date (RFC 9110, 10.2.3).

    Return None if it is neither, or more than a year.
    """
    if value is None:
        return None
    seconds = _parse_seconds(value, now)
    # The comparison is also false for infinity and NaN.
    return max(0.0, seconds) if seconds is not None and seconds <= LONGEST_RETRY_AFTER else None


def _parse_seconds(value: str, now: datetime) -> float | None:
    try:
        return float(value)
    except ValueError:
        pass
    try:
        date = parsedate_to_datetime(value)
        return ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
