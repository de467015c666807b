"""The source of movies that changed since the change cursor.

https://developer.themoviedb.org/reference/changes-movie-list
"""

from __future__ import annotations

import logging
from array import array
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from movies.tmdb.sources.source import Found, Position, Source, Tmdb
from movies.tmdb.tmdb_errors import ListFailedError
from movies.tmdb.together import together

if TYPE_CHECKING:
    from movies.tmdb.client import TmdbClient
    from movies.tmdb.pages import IdList

logger = logging.getLogger(__name__)

PATH = "movie/changes"
DAY = timedelta(days=1)
# TMDB has no earlier changes.
EPOCH = date(2012, 10, 5)
# TMDB's own default, if a request has no dates.
DEFAULT_GAP = DAY


class Changes(Source):
    """Every movie that changed since the cursor, including deleted ones and those pending retry.

    Each request covers one day, so the day of each movie's last change is known: a movie fetched after that
    day is up to date, and an interrupted scan continues without fetching anything twice. The scan may cover
    any number of days.
    """

    meaning = "all that changed since the last run"

    since: date | None = None
    include_adult: bool = False

    async def find(self, tmdb: Tmdb, position: Position) -> Found:
        """Scan the days since the cursor."""
        client = await tmdb.client()
        first_day = self._first_day(position, datetime.now(UTC))
        first = await self._read(client, first_day)
        # The last day is today at TMDB, even if this machine's clock is wrong.
        last_day = client.clock.now().date()
        days = [first_day + n * DAY for n in range(1, (last_day - first_day).days + 1)]
        listings = [first, *await together(self._read(client, day) for day in days)]
        # A cached page lacks the changes since it was cached, so the next scan begins on that day.
        oldest = min(listing.content_at for listing in listings)
        begun = client.clock.correct(oldest).replace(microsecond=0)
        if position.broken_off is not None and position.broken_off.date() == begun.date():
            begun = position.broken_off
        needed: dict[int, datetime] = {}
        for day, listing in zip([first_day, *days], listings, strict=True):
            # Until a day is over, a movie may change once more.
            settled = min(datetime.combine(day + DAY, time(), UTC), begun)
            needed |= dict.fromkeys(listing.movie_ids, settled)
        needed |= dict.fromkeys(position.owed, begun)
        logger.info(
            "%s movies changed from %s to %s", f"{len(needed):,}", first_day, f"{begun:%Y-%m-%d %H:%M}"
        )
        # The cursor never moves back, even if the pages of this scan are older.
        before = _trusted_cursor(position, client.clock.now())
        followed = begun if before is None else max(begun, before)
        return Found(array("q", needed), list(needed.values()), begun=begun, followed=followed)

    def _first_day(self, position: Position, now: datetime) -> date:
        """Return the first day to scan: the requested one, the cursor's, or that of the oldest payload."""
        last = _trusted_cursor(position, now) or position.oldest_fetch or now - DEFAULT_GAP
        return max(self.since or min(last, now).date(), EPOCH)

    async def _read(self, client: TmdbClient, day: date) -> IdList:
        from movies.tmdb.pages import read_list

        # TMDB accepts only days. This day is covered whether the end date is inclusive or not.
        params = {"start_date": day.isoformat(), "end_date": (day + DAY).isoformat()}
        listing = await read_list(client, PATH, params, include_adult=self.include_adult)
        if not listing.is_whole:
            raise ListFailedError(
                f"{listing.total:,} movies changed from {day} on, and TMDB lists 50,000 of them. Fetch "
                "the catalogue again with --source export --refresh"
            )
        return listing


def _trusted_cursor(position: Position, now: datetime) -> datetime | None:
    """Return the change cursor, or None if a wrong clock has set it to the future."""
    followed = position.followed
    return None if followed is None or followed > now + DAY else followed
