"""JSON of TMDB's as it really comes: read where silver can read it, and no more strictly."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

import msgspec

from movies.bounded import BOM

T = TypeVar("T")

# A whole pair, or half of one (1), among escapes that are neither.
SURROGATES = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|(?:\\[^u])+"
)
# How silver reads a number that is given as text, and no id is longer (`spark.payloads`).
DECIMAL = re.compile(r" *[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)? *")
LONGEST_NUMBER = 400
NUMBER_STARTS = frozenset(b"-0123456789")
LARGEST_ID = 2**63 - 1


def read_text(body: bytes) -> str:
    """A body as text that can be stored: verbatim, unless it has half a surrogate pair in raw bytes.

    Raises:
        UnicodeDecodeError: it is no UTF-8 otherwise, either.
    """
    try:
        return body.decode()
    except UnicodeDecodeError:
        halves = body.decode(errors="surrogatepass")
        return halves.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def without_mark(body: bytes) -> bytes:
    """A body without a byte-order mark before it."""
    return body.removeprefix(BOM)


def decode_leniently(decode: Callable[[bytes], T], body: bytes) -> T:
    """Decode JSON in which half of an escaped surrogate pair counts as U+FFFD, as everywhere behind it.

    Raises:
        msgspec.DecodeError: it cannot be decoded for another reason.
    """
    try:
        return decode(body)
    except msgspec.DecodeError:
        mended = SURROGATES.sub(lambda found: rb"\ufffd" if found[1] else found[0], body)
        if mended == body:
            raise
    return decode(mended)


def read_id(value: msgspec.Raw | None) -> int | None:
    """The id that a JSON value is, by silver's rule for numbers: `7`, `7.0`, `7e0` and `" 7"` are one."""
    written = bytes(value or b"")
    if not written or len(written) > LONGEST_NUMBER:
        return None
    if written[0] == ord('"'):
        text = msgspec.json.decode(written, type=str)
    elif written[0] in NUMBER_STARTS:
        text = written.decode()
    else:
        return None
    if not DECIMAL.fullmatch(text):
        return None
    number = int(text) if text.strip(" ").isdigit() else float(text)
    # Infinite ones are not whole.
    return int(number) if 0 <= number <= LARGEST_ID and number == number // 1 else None
