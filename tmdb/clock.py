"""The time as the server has it, so that a wrong clock of this machine makes no movie look older or newer."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

logger = logging.getLogger(__name__)

# A header has whole seconds, and may have been some on its way.
TOLERANCE = timedelta(seconds=60)
# A server that tells another year has no clock either.
FIRST_YEAR, LAST_YEAR = 2020, 2120


class Clock:
    """This machine's clock, corrected where the server's is more than a minute off."""

    def __init__(self) -> None:
        self._correction = timedelta(0)
        self._heard: str | None = None

    def now(self) -> datetime:
        """The time in UTC."""
        return datetime.now(UTC) + self._correction

    def hear(self, date: str | None) -> None:
        """Compare with the `Date` header of an answer that has just come (RFC 9110, 6.6.1)."""
        if date is None or date == self._heard:
            return
        try:
            there = parsedate_to_datetime(date)
        except ValueError:
            return
        self._heard = date
        if not FIRST_YEAR <= there.year <= LAST_YEAR:
            return
        if there.tzinfo is None:
            there = there.replace(tzinfo=UTC)
        off = there - datetime.now(UTC)
        correction = off if abs(off) > TOLERANCE else timedelta(0)
        if abs(correction - self._correction) > TOLERANCE:
            logger.warning("this machine's clock is %s off the server's, which counts", abs(correction))
        self._correction = correction
