"""What TMDB's answers mean (https://developer.themoviedb.org/docs/errors)."""

from __future__ import annotations

import httpx
import msgspec

from tmdb.drift import Drift
from tmdb.errors import (
    AccessDeniedError,
    BadKeyError,
    InvalidPayloadError,
    MovieNotFoundError,
    RateLimitedError,
    ServerError,
    UnexpectedStatusError,
)
from tmdb.retry import parse_retry_after

_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def check_status(response: httpx.Response) -> None:
    """Raise what an answer's status means; nothing for 200."""
    status = response.status_code
    if status == 200:
        return
    if status == 401:
        raise BadKeyError("TMDB does not accept the key: check TMDB_API_KEY or TMDB_ACCESS_TOKEN", status)
    if status == 403:
        raise AccessDeniedError("TMDB denies access (403): the key may be suspended, or the address", status)
    if status == 404:
        if _is_page(response.content):
            raise ServerError("404 with a page instead of TMDB's answer", status)
        raise MovieNotFoundError("TMDB has no such movie", status)
    if status == 429:
        raise RateLimitedError(parse_retry_after(response.headers.get("Retry-After")))
    if status >= 500:
        raise ServerError(f"{status} {response.reason_phrase}", status)
    detail = f"{status} {response.reason_phrase}"
    if response.is_redirect:
        detail += " is not followed: the key must not go to another host"
    raise UnexpectedStatusError(detail, status)


def read_movie(movie_id: int, body: bytes, drift: Drift) -> str:
    """The body as text, if it is that movie with its credits; all other fields are silver's business.

    Raises:
        InvalidPayloadError: it is something else, or not whole.
    """
    try:
        # Only the top level: what is below is checked for being JSON, and not even decoded.
        fields = _decode_fields(body)
        found_id = msgspec.json.decode(fields.get("id", b"null"))
        text = body.decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidPayloadError(f"the body is no JSON object: {error}", 200) from error
    # Ids come as text now and then; silver reads numbers as leniently.
    if str(found_id) != str(movie_id):
        raise InvalidPayloadError(f"asked for movie {movie_id}, got {found_id!r}", 200)
    if not bytes(memoryview(fields.get("credits", b""))[:1]) == b"{":
        raise InvalidPayloadError("the payload has no credits", 200)
    drift.observe(movie_id, fields)
    return text


def _is_page(body: bytes) -> bool:
    # A gateway whose server is away, or a wrong address: no reason to believe that there is no such movie.
    return body.lstrip()[:1] not in (b"", b"{")
