"""TMDB's daily file of all ids (https://developer.themoviedb.org/docs/daily-id-exports)."""

from __future__ import annotations

import logging
import zlib
from array import array
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from pydantic import AllowInfNan, NonNegativeFloat

from project import user_agent
from tmdb.errors import ListFailedError, StoppedError
from tmdb.redaction import hide_queries
from tmdb.sources.source import Found, Position, Source, Tmdb

if TYPE_CHECKING:
    from tmdb.client import TmdbClient

logger = logging.getLogger(__name__)

# Today's is there from 08:00 UTC on, and a day may be left out.
DAYS_BACK = 3
# The store that has the files says so of one that it does not have.
ABSENT = (403, 404)
GZIP = 16 + zlib.MAX_WBITS


class NotThereError(Exception):
    """There is no file of that day."""


class Export(Source):
    """The movies of the newest daily file, the most of which nobody has heard of: `min_popularity` cuts them.

    The file needs no key and gets none, and is no part of the API's pace.
    """

    min_popularity: Annotated[NonNegativeFloat, AllowInfNan(False)] = 0.0
    include_adult: bool = False
    include_video: bool = False

    async def find(self, tmdb: Tmdb, position: Position) -> Found:
        """Read the file as it comes, that of the day before where the newest is not there yet."""
        client = await tmdb.client()
        url = await tmdb.exports_url()
        today = datetime.now(UTC).date()
        for days in range(DAYS_BACK + 1):
            day = today - timedelta(days=days)
            try:
                return Found(await self._read_day(client, url, day))
            except NotThereError:
                logger.info("there is no file of ids of %s", day)
        raise ListFailedError(
            f"There is no daily file of ids of {today} or {DAYS_BACK} days before in {hide_queries(url)}"
        )

    async def _read_day(self, client: TmdbClient, url: str, day: date) -> array[int]:
        import httpx
        import msgspec

        address, mark, query = url.partition("?")
        file = f"{address.rstrip('/')}/movie_ids_{day:%m_%d_%Y}.json.gz{mark}{query}"
        shown = hide_queries(file)
        waits = client.policy.waits()
        while True:
            try:
                movie_ids = await self._download(file, client)
                break
            except (httpx.HTTPError, httpx.InvalidURL, zlib.error, EOFError, msgspec.DecodeError) as error:
                reason = hide_queries(f"{type(error).__name__}: {error}".removesuffix(": "))
                logger.info("%s: %s", shown, reason)
                wait = next(waits, None)
                if wait is None:
                    # The error itself has the whole address, and Prefect keeps stack traces.
                    cause = error if shown == file else None
                    raise ListFailedError(f"{shown} cannot be had: {reason}") from cause
            if await client.stop.wait(wait):
                raise StoppedError(shown)
        logger.info("%s movies of %s", f"{len(movie_ids):,}", shown)
        return movie_ids

    async def _download(self, file: str, client: TmdbClient) -> array[int]:
        import httpx
        import msgspec

        from tmdb.client import TIMEOUT

        class Line(msgspec.Struct):
            id: int
            popularity: float = 0.0
            adult: bool = False
            video: bool = False

        decode = msgspec.json.Decoder(Line).decode_lines
        movie_ids = array("q")
        async with (
            httpx.AsyncClient(timeout=TIMEOUT) as http,
            http.stream("GET", file, headers={"User-Agent": user_agent()}) as response,
        ):
            if response.status_code in ABSENT:
                raise NotThereError
            response.raise_for_status()
            async for lines in _lines(response.aiter_raw()):
                if client.stop.is_set:
                    raise StoppedError(file)
                movie_ids.extend(
                    movie.id
                    for movie in decode(lines)
                    if movie.popularity >= self.min_popularity
                    and (self.include_adult or not movie.adult)
                    and (self.include_video or not movie.video)
                )
        return movie_ids


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Unpack a gzip file piece by piece, and give whole lines only.

    Raises:
        EOFError: it ends in the middle.
    """
    unpacker = zlib.decompressobj(GZIP)
    rest = b""
    async for chunk in chunks:
        whole, newline, rest = (rest + unpacker.decompress(chunk)).rpartition(b"\n")
        if newline:
            yield whole
    if not unpacker.eof:
        raise EOFError("the file is not whole")
    if rest:
        yield rest
