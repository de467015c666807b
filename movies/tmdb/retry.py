"""How often and how long to try again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import backoff

# A server that asks for more has no clock, or wrote something else.
LONGEST_RETRY_AFTER = 366 * 86_400.0


@dataclass(frozen=True)
class RetryPolicy:
    """Tries after the first, and the longest time in all that one movie takes, queues and pauses aside."""

    max_retries: int = 5
    max_total_seconds: float = 300.0
    base_seconds: float = 0.5
    max_wait_seconds: float = 30.0

    def waits(self) -> Iterator[float]:
        """Seconds before each retry: exponential with full jitter, `max_retries` of them."""
        bounds = backoff.expo(base=2, factor=self.base_seconds, max_value=self.max_wait_seconds)
        next(bounds)  # a backoff generator answers its first `next` with nothing
        for _ in range(self.max_retries):
            yield backoff.full_jitter(next(bounds))


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait by a `Retry-After` header, given in seconds or as an HTTP date (RFC 9110, 10.2.3).

    None if it is neither, or more than a year.
    """
    if value is None:
        return None
    seconds = _parse_seconds(value, now)
    # This also passes over infinity and what is not a number.
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
