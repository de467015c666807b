"""The server's time, and the age of an answer's content."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

logger = logging.getLogger(__name__)

# A header has whole seconds, and an answer takes time to arrive.
TOLERANCE = timedelta(seconds=60)
# If the server's time differs by more, it is used only if most of its latest answers agree.
DOUBTFUL = timedelta(days=1)
ANSWERS_COMPARED = 5
# A server with an earlier year has no valid clock.
FIRST_YEAR = 2020
# Caches store no answer for longer.
OLDEST_AGE = timedelta(days=366)


@dataclass(frozen=True)
class Stamp:
    """The times in an answer's headers.

    TMDB answers through a CDN. `Date` is when the origin answered (RFC 9110, 6.6.1), `Age` is how long a
    cache has had that answer (RFC 9111, 5.1), and `X-Memc-Age` how long the origin's cache had the content.
    """

    answered_at: datetime | None
    content_age: timedelta

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Stamp:
        """Read the headers, and ignore invalid dates and ages."""
        cached = _parse_age(headers.get("Age"))
        content_age = (cached or timedelta(0)) + (_parse_age(headers.get("X-Memc-Age")) or timedelta(0))
        date = _parse_date(headers.get("Date"))
        if date is None or (cached is None and "Age" in headers):
            return cls(None, content_age)
        return cls(date + (cached or timedelta(0)), content_age)


class Clock:
    """This machine's clock, corrected if the server's is more than a minute off."""

    def __init__(self) -> None:
        self._correction = timedelta(0)
        self._heard: deque[timedelta] = deque(maxlen=ANSWERS_COMPARED)
        self._has_warned = False
        self.is_confirmed = False  # whether an answer had a valid time

    def now(self) -> datetime:
        """Return the time in UTC."""
        return self.correct(datetime.now(UTC))

    def correct(self, moment: datetime) -> datetime:
        """Convert a moment of this machine's clock; each answer improves the correction."""
        return moment + self._correction

    def hear(self, stamp: Stamp) -> None:
        """Compare this machine's clock with an answer that has just arrived."""
        if stamp.answered_at is None:
            return
        off = stamp.answered_at - datetime.now(UTC)
        self._heard.append(off)
        agreeing = sum(abs(other - off) <= DOUBTFUL for other in self._heard)
        if abs(off) > DOUBTFUL and (agreeing < 2 or agreeing <= len(self._heard) / 2):
            if not self._has_warned:
                self._has_warned = True
                logger.warning(
                    "An answer is dated %s, which neither this machine's clock nor other answers confirm. "
                    "The date is ignored.",
                    stamp.answered_at.isoformat(),
                )
            return
        correction = off if abs(off) > TOLERANCE else timedelta(0)
        if abs(correction - self._correction) > TOLERANCE:
            logger.warning("This machine's clock is %s off the server's, which is used", abs(correction))
        self._correction = correction
        self.is_confirmed = True


def _parse_date(value: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(value or "")
        if date.tzinfo is None:
            date = date.replace(tzinfo=UTC)
        date = date.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
    # Not the last year that Python knows, because ages are added to the date.
    return date if FIRST_YEAR <= date.year < datetime.max.year else None


def _parse_age(value: str | None) -> timedelta | None:
    """Read seconds, which have only digits (RFC 9111)."""
    if value is None or not (value.isascii() and value.strip().isdigit()) or len(value) > 12:
        return None
    age = timedelta(seconds=int(value))
    return age if age <= OLDEST_AGE else None
