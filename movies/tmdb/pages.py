"""Read TMDB's paged lists (https://developer.themoviedb.org/docs/errors, 22: at most 500 pages)."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import httpx
import msgspec

from movies.tmdb.client import TmdbClient
from movies.tmdb.texts import decode_leniently, read_id, without_mark
from movies.tmdb.tmdb_errors import (
    InvalidPayloadError,
    ListFailedError,
    ListOutageError,
    RecordError,
    TransientError,
)
from movies.tmdb.together import together

logger = logging.getLogger(__name__)

MAX_PAGE = 500


class ListEntry(msgspec.Struct):
    """A movie in a list; if it was deleted, `adult` is null."""

    id: msgspec.Raw = msgspec.Raw(b"null")
    adult: bool | None = None


class Page(msgspec.Struct):
    """One page, with totals of the whole list; `content_at` is by this machine's clock."""

    page: int
    results: list[ListEntry | None]
    total_pages: int
    total_results: int
    content_at: datetime = datetime.max


@dataclass
class IdList:
    """All ids of a list, without repeats and in its order; no ids if TMDB has only a part of it.

    `content_at` is the time of its oldest page, by this machine's clock.
    """

    total: int
    is_whole: bool
    content_at: datetime
    movie_ids: array[int] = field(default_factory=lambda: array("q"))


_decode_page = msgspec.json.Decoder(Page).decode


async def read_list(
    client: TmdbClient, path: str, params: Mapping[str, str], *, include_adult: bool
) -> IdList:
    """Read all pages of a list, or only the first if the list is longer than TMDB lists.

    Raises:
        StoppedError: the run stops first.
        ListFailedError: a page could not be fetched, or TMDB rejects the parameters.
    """
    first = await _read_page(client, path, params, 1)
    if first.total_pages > MAX_PAGE:
        return IdList(first.total_results, is_whole=False, content_at=first.content_at)
    numbers = range(2, first.total_pages + 1)
    others = await together(_read_page(client, path, params, number) for number in numbers)
    # A list may change while it is read, so an id may be on two pages.
    pages = [first, *others]
    entries = [entry for page in pages for entry in page.results if entry is not None]
    found = [read_id(entry.id) for entry in entries if include_adult or entry.adult is not True]
    if without_id := found.count(None):
        logger.warning("%s entries of %s have no id and are ignored", f"{without_id:,}", path)
    ids = dict.fromkeys(movie_id for movie_id in found if movie_id is not None)
    content_at = min(page.content_at for page in pages)
    return IdList(first.total_results, is_whole=True, content_at=content_at, movie_ids=array("q", ids))


async def _read_page(client: TmdbClient, path: str, params: Mapping[str, str], number: int) -> Page:
    try:
        return await client.get(path, {**params, "page": str(number)}, _parse, f"page {number} of {path}")
    except (RecordError, TransientError) as error:
        text = f"TMDB's list {path} could not be fetched, page {number}: {error}"
        is_outage = isinstance(error, TransientError) and not error.is_answer
        raise (ListOutageError if is_outage else ListFailedError)(text, error.http_status) from error


def _parse(response: httpx.Response, content_at: datetime) -> Page:
    try:
        page = decode_leniently(_decode_page, without_mark(response.content))
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidPayloadError(f"the body is not a page of a list: {error}", 200) from error
    page.content_at = content_at
    return page
