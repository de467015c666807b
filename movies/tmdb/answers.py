"""What TMDB's answers mean (https://developer.themoviedb.org/docs/errors)."""

from __future__ import annotations

import httpx
import msgspec

from movies.tmdb.drift import Drift
from movies.tmdb.redaction import quote
from movies.tmdb.texts import decode_leniently, read_id, read_text, without_mark
from movies.tmdb.tmdb_errors import (
    AccessDeniedError,
    BadKeyError,
    InvalidPayloadError,
    MovieNotFoundError,
    PageError,
    RateLimitedError,
    ServerError,
    UnexpectedStatusError,
)

# TMDB's own codes (https://developer.themoviedb.org/docs/errors).
NOT_FOUND = {6, 34, 37}
# Service or id is invalid. TMDB sends these with a 5xx, but a retry does not help.
PERMANENT = {2, 44}
NO_PERMISSION, SUSPENDED, DISABLED = 3, 10, 31
# Other statuses that are worth a retry: request timeout, too early.
TRY_AGAIN = {408, 425}
# How credits usually begin; these need no further check.
CREDITS_START = b'{"cast":['
SHOWN = 60

_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class ErrorBody(msgspec.Struct):
    """The body of an error answer; without `status_code` it does not come from TMDB."""

    status_code: int | None = None
    status_message: str = ""


_decode_error = msgspec.json.Decoder(ErrorBody).decode


def check_status(response: httpx.Response, secrets: tuple[str, ...] = ()) -> None:
    """Raise the error that an answer's status means; a 200 is only checked for being a page of HTML.

    Args:
        secrets: texts to hide in errors, in case the server repeats them.
    """
    status = response.status_code
    is_page = response.content.lstrip()[:1] == b"<"
    if status == 200:
        if is_page:
            raise PageError("an HTML page instead of TMDB's answer", status)
        return
    body = _read_error(response.content)
    words = f"{body.status_code}, {body.status_message}".removesuffix(", ")
    detail = f"{status} {response.reason_phrase}".rstrip()
    detail = quote(detail if body.status_code is None else f"{detail} (TMDB: {words})", secrets)
    _check_access(status, body.status_code, detail)
    if status == 404:
        if body.status_code not in NOT_FOUND:
            raise ServerError(f"{detail} without TMDB's own answer", status)
        raise MovieNotFoundError(f"TMDB has no such movie ({quote(words, secrets)})", status)
    if status == 429:
        raise RateLimitedError(detail, status)
    if body.status_code in PERMANENT:
        raise UnexpectedStatusError(detail, status)
    if status >= 500 or status in TRY_AGAIN:
        raise ServerError(detail, status)
    if 300 <= status < 400:
        detail += " is not followed, because the key must not go to another host"
    raise UnexpectedStatusError(detail, status)


def _check_access(status: int, code: int | None, detail: str) -> None:
    """Raise the errors that stop a run, because no movie can be fetched with this key."""
    if code == SUSPENDED:
        raise AccessDeniedError(
            f"TMDB has suspended the key: {detail}. Ask TMDB's support, or set another key", status
        )
    if code == DISABLED:
        raise AccessDeniedError(
            f"TMDB has disabled the account of the key: {detail}. Ask TMDB's support, or set another key",
            status,
        )
    if code == NO_PERMISSION:
        raise AccessDeniedError(
            f"TMDB gives the key no permission: {detail}. Check the account's settings at TMDB, or set "
            "another key",
            status,
        )
    if status == 401:
        raise BadKeyError(
            f"TMDB does not accept the key: check TMDB_API_KEY or TMDB_ACCESS_TOKEN ({detail})", status
        )
    if status == 403:
        raise AccessDeniedError(
            f"TMDB denies access (403): the key may be suspended, or the address ({detail})", status
        )


def _read_error(body: bytes) -> ErrorBody:
    try:
        return _decode_error(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ErrorBody()


def read_movie(movie_id: int, body: bytes, drift: Drift) -> str:
    """Return the body as text if it is the requested movie with credits; silver validates all other fields.

    Raises:
        InvalidPayloadError: the body is something else, or incomplete.
    """
    body = without_mark(body)
    try:
        # Only the top level is decoded. Values below are only checked for being JSON.
        fields = decode_leniently(_decode_fields, body)
        text = read_text(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidPayloadError(f"the body is not a JSON object: {error}", 200) from error
    found_id = fields.get("id")
    if read_id(found_id) != movie_id:
        raise InvalidPayloadError(f"requested movie {movie_id}, got {_shown(found_id)}", 200)
    if not _has_credits(fields.get("credits")):
        raise InvalidPayloadError("the payload has no credits", 200)
    drift.observe(movie_id, fields)
    return text


def _has_credits(credits: msgspec.Raw | None) -> bool:
    """Return whether credits have cast or crew; TMDB puts an error there if it could not get them."""
    written = memoryview(credits or b"")
    if bytes(written[: len(CREDITS_START)]) == CREDITS_START:
        return True
    return bytes(written[:1]) == b"{" and not {"cast", "crew"}.isdisjoint(_decode_fields(written))


def _shown(value: msgspec.Raw | None) -> str:
    return bytes(memoryview(value or b"no id")[:SHOWN]).decode(errors="replace")
