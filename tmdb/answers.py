"""What TMDB's answers mean (https://developer.themoviedb.org/docs/errors)."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec

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


class _Envelope(msgspec.Struct):
    """The part of a payload that is checked; the rest is not even decoded."""

    id: Any = None
    credits: msgspec.Raw = msgspec.Raw()


_decode_envelope = msgspec.json.Decoder(_Envelope).decode


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
    raise UnexpectedStatusError(f"{status} {response.reason_phrase}", status)


def read_payload(movie_id: int, body: bytes) -> str:
    """The body as text, if it is that movie with its credits; all other fields are silver's business.

    Raises:
        InvalidPayloadError: it is something else, or not whole.
    """
    try:
        envelope = _decode_envelope(body)
        text = body.decode()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidPayloadError(f"the body is no JSON object: {error}", 200) from error
    # Ids come as text now and then; silver reads numbers as leniently.
    if str(envelope.id) != str(movie_id):
        raise InvalidPayloadError(f"asked for movie {movie_id}, got {envelope.id!r}", 200)
    if not bytes(envelope.credits).startswith(b"{"):
        raise InvalidPayloadError("the payload has no credits", 200)
    return text


def _is_page(body: bytes) -> bool:
    # A gateway whose server is away, or a wrong address: no reason to believe that there is no such movie.
    return body.lstrip()[:1] not in (b"", b"{")
