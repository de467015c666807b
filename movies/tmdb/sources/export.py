"""The source of all ids, from TMDB's daily files (https://developer.themoviedb.org/docs/daily-id-exports)."""

from __future__ import annotations

import logging
from array import array
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AllowInfNan, NonNegativeFloat

from movies.bounded import LARGEST_FILE, Lines, NotWholeError, TooLargeError, Unpacker
from movies.project import user_agent
from movies.tmdb.redaction import hide_queries
from movies.tmdb.sources.source import Found, Position, Source, Tmdb
from movies.tmdb.tmdb_errors import ListFailedError, ListOutageError, StoppedError

if TYPE_CHECKING:
    from movies.tmdb.client import TmdbClient

logger = logging.getLogger(__name__)

MOVIES, ADULT_MOVIES = "movie_ids", "adult_movie_ids"
# Today's file is published by 08:00 UTC, and a day may be missing.
DAYS_BACK = 3
# Statuses by which the store answers that it does not have a file.
MISSING = (403, 404)
# If a larger share of the lines is invalid, it is not a file of ids.
MOST_INVALID = 0.5
SHOWN_INVALID = 3
# An array of 64-bit numbers holds no larger one.
LARGEST_ID = 2**63 - 1


class NotThereError(Exception):
    """There is no file of that day."""


class NoIdsError(Exception):
    """The content is not a file of ids; a retry may help."""


@dataclass
class DailyFile:
    """The ids of one file that pass the filters, and its numbers of movies and of invalid lines."""

    movie_ids: array[int] = field(default_factory=lambda: array("q"))
    movies: int = 0
    refused: int = 0


class Export(Source):
    """The movies of the newest daily file; most are unknown titles, which `min_popularity` leaves out.

    Adult movies have a separate file, which is read only on request. Requests for these files have no key and
    do not count for the API's pace.
    """

    meaning = "all of TMDB"

    min_popularity: Annotated[NonNegativeFloat, AllowInfNan(False)] = 0.0
    include_adult: bool = False
    include_video: bool = False

    async def find(self, tmdb: Tmdb, position: Position) -> Found:
        """Read the newest files; if today's is not there yet, one of the days before."""
        client = await tmdb.client()
        url = await tmdb.exports_url()
        today = datetime.now(UTC).date()
        movies = await self._read_newest(client, url, MOVIES, today)
        if movies is None:
            raise ListFailedError(
                f"There is no daily file of ids of {today} or {DAYS_BACK} days before in {hide_queries(url)}"
            )
        if not self.include_adult:
            return Found(movies.movie_ids, refused=movies.refused)
        adult = await self._read_newest(client, url, ADULT_MOVIES, today)
        if adult is None:
            logger.warning(
                "There is no daily file of adult ids of %s or %s days before in %s. They are left out.",
                today,
                DAYS_BACK,
                hide_queries(url),
            )
            return Found(movies.movie_ids, refused=movies.refused)
        return Found(movies.movie_ids + adult.movie_ids, refused=movies.refused + adult.refused)

    async def _read_newest(self, client: TmdbClient, url: str, name: str, today: date) -> DailyFile | None:
        for days in range(DAYS_BACK + 1):
            day = today - timedelta(days=days)
            try:
                return await self._read_day(client, url, day, name)
            except NotThereError:
                logger.info("there is no file %s of %s", name, day)
        return None

    async def _read_day(self, client: TmdbClient, url: str, day: date, name: str = MOVIES) -> DailyFile:
        import httpx

        address, mark, query = url.partition("?")
        file = f"{address.rstrip('/')}/{name}_{day:%m_%d_%Y}.json.gz{mark}{query}"
        shown = hide_queries(file)
        waits = client.policy.waits()
        while True:
            try:
                found = await self._download(file, client)
                break
            except TooLargeError as error:
                raise ListFailedError(f"{shown} is not a file of ids: it has {error}") from error
            except (httpx.HTTPError, httpx.InvalidURL, NotWholeError, NoIdsError) as error:
                reason = hide_queries(f"{type(error).__name__}: {error}".removesuffix(": "))
                logger.info("%s: %s", shown, reason)
                wait = next(waits, None)
                if wait is None:
                    # The error itself has the whole address, and Prefect stores stack traces.
                    cause = error if shown == file else None
                    kind = ListOutageError if _is_outage(error) else ListFailedError
                    raise kind(f"{shown} could not be fetched: {reason}") from cause
            if await client.stop.wait(wait):
                raise StoppedError(shown)
        logger.info("%s movies of %s", f"{len(found.movie_ids):,}", shown)
        if found.refused:
            logger.warning("%s lines of %s are not movies and are ignored", f"{found.refused:,}", shown)
        return found

    async def _download(self, file: str, client: TmdbClient) -> DailyFile:
        import httpx

        from movies.tmdb.client import TIMEOUT

        decode = _line_decoder()
        found = DailyFile()
        async with (
            httpx.AsyncClient(timeout=TIMEOUT) as http,
            http.stream("GET", file, headers={"User-Agent": user_agent()}) as response,
        ):
            if response.status_code in MISSING:
                raise NotThereError
            response.raise_for_status()
            async for lines in _lines(response.aiter_raw(), hide_queries(file)):
                if client.stop.is_set:
                    raise StoppedError(file)
                movies = _decode_lines(decode, lines, found)
                found.movies += len(movies)
                found.movie_ids.extend(
                    movie.id
                    for movie in movies
                    if movie.popularity >= self.min_popularity
                    and (self.include_adult or not movie.adult)
                    and (self.include_video or not movie.video)
                )
        lines_in_all = found.movies + found.refused
        if found.movies < MOST_INVALID * lines_in_all or not (lines_in_all or ADULT_MOVIES in file):
            raise NoIdsError(f"{found.movies:,} of its {lines_in_all:,} lines are movies")
        return found


def _is_outage(error: Exception) -> bool:
    """Return whether the server did not answer; a wrong answer is not an outage."""
    import httpx

    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code >= 500
    return isinstance(error, httpx.TransportError)


def _line_decoder() -> Callable[[bytes], list[Any]]:
    import msgspec

    number = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_ID)]
    optional = [("popularity", float, 0.0), ("adult", bool, False), ("video", bool, False)]
    line = msgspec.defstruct("Line", [("id", number), *optional])
    return msgspec.json.Decoder(line).decode_lines


def _decode_lines(decode: Callable[[bytes], list[Any]], lines: bytes, found: DailyFile) -> list[Any]:
    """Decode whole lines to movies; an invalid line is counted and left out."""
    import msgspec

    try:
        return decode(lines)
    except (msgspec.DecodeError, RecursionError):
        pass
    movies: list[Any] = []
    for line in lines.split(b"\n"):
        try:
            movies += decode(line)
        except (msgspec.DecodeError, RecursionError) as error:
            found.refused += 1
            if found.refused <= SHOWN_INVALID:
                logger.info("a line is not a movie: %s (%r)", error, line[:80])
    return movies


async def _lines(chunks: AsyncIterator[bytes], file: str = "") -> AsyncIterator[bytes]:
    """Unpack a file piece by piece, and yield whole lines only.

    Raises:
        NotWholeError: the file ends in the middle, or is damaged.
        TooLargeError: the file or a line is larger than its limit.
    """
    unpacker, cutter = Unpacker(LARGEST_FILE), Lines()

    def cut(pieces: Iterable[bytes]) -> Iterable[bytes]:
        return (lines for piece in pieces if (lines := cutter.feed(piece)) is not None)

    async for chunk in chunks:
        for lines in cut(unpacker.feed(chunk)):
            yield lines
    for lines in cut(unpacker.end()):
        yield lines
    if (last := cutter.end()) is not None:
        yield last
    if unpacker.passed_over:
        logger.warning("%s bytes after the end of %s are ignored", f"{unpacker.passed_over:,}", file)
