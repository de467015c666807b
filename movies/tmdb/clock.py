"""The time at the server, and from when an answer's content is."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

logger = logging.getLogger(__name__)

# A header has whole seconds, and an answer takes some on its way.
TOLERANCE = timedelta(seconds=60)
# A server that is further off this machine's clock is believed only if most of its latest answers agree.
DOUBTFUL = timedelta(days=1)
ANSWERS_COMPARED = 5
# A server that says an earlier year has no clock.
FIRST_YEAR = 2020
# No cache keeps an answer for longer.
OLDEST_AGE = timedelta(days=366)


@dataclass(frozen=True)
class Stamp:
    """What an answer's headers say of time.

    TMDB answers through a CDN. `Date` is when the origin answered (RFC 9110, 6.6.1), `Age` for how long a
    cache has had that answer (RFC 9111, 5.1), and `X-Memc-Age` how old the content in the origin's own cache
    was then.
    """

    answered_at: datetime | None
    content_age: timedelta

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Stamp:
        """Read the headers; pass over what is no date or no age."""
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
        self.is_confirmed = False  # whether an answer has said the time

    def now(self) -> datetime:
        """Return the time in UTC."""
        return self.correct(datetime.now(UTC))

    def correct(self, moment: datetime) -> datetime:
        """Convert a moment of this machine's clock; the more answers have come by then, the better."""
        return moment + self._correction

    def hear(self, stamp: Stamp) -> None:
        """Compare this machine's clock with an answer that has just come."""
        if stamp.answered_at is None:
            return
        off = stamp.answered_at - datetime.now(UTC)
        self._heard.append(off)
        agreeing = sum(abs(other - off) <= DOUBTFUL for other in self._heard)
        if abs(off) > DOUBTFUL and (agreeing < 2 or agreeing <= len(self._heard) / 2):
            if not self._has_warned:
                self._has_warned = True
                logger.warning(
                    "An answer is dated %s, which neither this machine's clock nor other answers confirm: "
                    "the date is ignored",
                    stamp.answered_at.isoformat(),
                )
            return
        correction = off if abs(off) > TOLERANCE else timedelta(0)
        if abs(correction - self._correction) > TOLERANCE:
            logger.warning("This machine's clock is %s off the server's, which counts", abs(correction))
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
    # Ages are added to it.
    return date if FIRST_YEAR <= date.year < datetime.max.year else None


def _parse_age(value: str | None) -> timedelta | None:
    """Seconds as RFC 9111 has them: digits only."""
    if value is None or not (value.isascii() and value.strip().isdigit()) or len(value) > 12:
        return None
    age = timedelta(seconds=int(value))
    return age if age <= OLDEST_AGE else None
