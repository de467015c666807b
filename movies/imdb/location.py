"""Fetch a file from a path or a URL, if it has changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from movies.imdb.imdb_errors import UnavailableError
from movies.project import user_agent

logger = logging.getLogger(__name__)

TIMEOUT = httpx.Timeout(30.0, connect=10.0)
# Limit for a whole download.
LONGEST_SECONDS = 900.0
# The file has some 8 MB.
MOST_BYTES = 256 * 2**20
UNCHANGED = 304
TRY_AGAIN = {408, 425, 429, 500, 502, 503, 504}
# Prefixes of marks from a server, by the header that they come from.
ETAG, MODIFIED = "etag ", "modified "


@dataclass(frozen=True)
class Copy:
    """A file on this machine; another file has another mark. If the mark is empty, compare the bytes."""

    path: Path
    mark: str


@asynccontextmanager
async def obtain(
    location: str, known_mark: str | None = None, waits: Iterable[float] = ()
) -> AsyncIterator[Copy | None]:
    """Provide the file for the length of the block, or None if it still has the known mark.

    Args:
        location: a path, or a URL of http or https.
        known_mark: the mark of an earlier copy of the same location.
        waits: seconds to wait before each retry, for errors that may be temporary.

    Raises:
        UnavailableError: there is no such file, or it could not be fetched.
    """
    if not is_url(location):
        path = Path(location)
        mark = _mark_of(path)
        yield None if mark == known_mark else Copy(path, mark)
        return
    with TemporaryDirectory(prefix="imdb-") as folder:
        yield await _download(location, known_mark, Path(folder) / "file", waits)


def is_url(location: str) -> bool:
    """Return whether a location is a URL."""
    return "://" in location


def shown(location: str) -> str:
    """Return the location for texts, without its query, which in a signed address gives access like a key."""
    address, mark, _ = location.partition("?")
    return f"{address}?***" if mark and is_url(location) else location


def check_file(location: str) -> None:
    """Reject a path that cannot be read; a URL is not checked.

    Raises:
        UnavailableError: there is no such file, or no permission to read it.
    """
    if not is_url(location):
        _mark_of(Path(location))


def _mark_of(path: Path) -> str:
    try:
        with path.open("rb"):
            facts = path.stat()
    except OSError as error:
        raise UnavailableError(f"{path} cannot be read: {error.strerror}") from error
    return f"{facts.st_size} bytes of {facts.st_mtime_ns}"


async def _download(url: str, known_mark: str | None, target: Path, waits: Iterable[float]) -> Copy | None:
    further = iter(waits)
    async with httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=True) as http:
        while True:
            try:
                async with asyncio.timeout(LONGEST_SECONDS):
                    return await _ask(http, url, known_mark, target)
            except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
                reason = _reason(error)
                wait = next(further, None) if _may_pass(error) else None
                if wait is None:
                    raise UnavailableError(f"{shown(url)} could not be fetched: {reason}") from error
                logger.info("%s: %s; next try in %.1f s", shown(url), reason, wait)
            await asyncio.sleep(wait)


async def _ask(http: httpx.AsyncClient, url: str, known_mark: str | None, target: Path) -> Copy | None:
    # Without further compression: the file is gzip itself.
    headers = {"Accept-Encoding": "identity", "User-Agent": user_agent(), **_conditions(known_mark)}
    async with http.stream("GET", url, headers=headers) as response:
        if response.status_code == UNCHANGED and known_mark:
            return None
        if response.status_code != httpx.codes.OK:
            raise httpx.HTTPStatusError("no file", request=response.request, response=response)
        mark = _mark_in(response)
        if mark and mark == known_mark:
            return None
        size = 0
        with target.open("wb") as file:
            async for piece in response.aiter_raw():
                if (size := size + len(piece)) > MOST_BYTES:
                    raise UnavailableError(
                        f"{shown(url)} is not a file of ratings: it has over {MOST_BYTES:,} bytes"
                    )
                file.write(piece)
    logger.info("%s bytes of %s", f"{size:,}", shown(url))
    return Copy(target, mark)


def _conditions(known_mark: str | None) -> dict[str, str]:
    if known_mark and known_mark.startswith(ETAG):
        return {"If-None-Match": known_mark.removeprefix(ETAG)}
    if known_mark and known_mark.startswith(MODIFIED):
        return {"If-Modified-Since": known_mark.removeprefix(MODIFIED)}
    return {}


def _mark_in(response: httpx.Response) -> str:
    if etag := response.headers.get("etag"):
        return f"{ETAG}{etag}"
    modified = response.headers.get("last-modified")
    return f"{MODIFIED}{modified}" if modified else ""


def _may_pass(error: Exception) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in TRY_AGAIN
    return not isinstance(error, httpx.UnsupportedProtocol | httpx.TooManyRedirects)


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"HTTP status {error.response.status_code}"
    if isinstance(error, TimeoutError):
        return f"it takes longer than {LONGEST_SECONDS:.0f} s"
    return f"{type(error).__name__}: {error}".removesuffix(": ")
