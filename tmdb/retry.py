"""How often and how long to try again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import backoff


@dataclass(frozen=True)
class RetryPolicy:
    """Tries after the first, and the longest wait in all: for one movie, or asked for by the server."""

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


def parse_retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds to wait by a `Retry-After` header, given in seconds or as an HTTP date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - (now or datetime.now(UTC))).total_seconds())
