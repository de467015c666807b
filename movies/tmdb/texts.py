"""Read TMDB's JSON as leniently as silver does, including invalid escapes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

import msgspec

from movies.bounded import BOM

T = TypeVar("T")

# A surrogate pair, half of one (group 1), or other escapes.
SURROGATES = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|(?:\\[^u])+"
)
# Silver reads such texts as numbers, and no id is longer (`spark.payloads`).
DECIMAL = re.compile(r" *[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)? *")
LONGEST_NUMBER = 400
NUMBER_STARTS = frozenset(b"-0123456789")
LARGEST_ID = 2**63 - 1


def read_text(body: bytes) -> str:
    """Return a body as text that can be stored: verbatim, but half surrogate pairs are replaced.

    Raises:
        UnicodeDecodeError: the body is not UTF-8 for another reason.
    """
    try:
        return body.decode()
    except UnicodeDecodeError:
        halves = body.decode(errors="surrogatepass")
        return halves.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def without_mark(body: bytes) -> bytes:
    """Return a body without a byte-order mark."""
    return body.removeprefix(BOM)


def decode_leniently(decode: Callable[[bytes], T], body: bytes) -> T:
    """Decode JSON and read half of an escaped surrogate pair as U+FFFD, as all later stages do.

    Raises:
        msgspec.DecodeError: it cannot be decoded for another reason.
    """
    try:
        return decode(body)
    except msgspec.DecodeError:
        repaired = SURROGATES.sub(lambda found: rb"\ufffd" if found[1] else found[0], body)
        if repaired == body:
            raise
    return decode(repaired)


def read_id(value: msgspec.Raw | None) -> int | None:
    """Return the id in a JSON value by silver's rule for numbers: `7`, `7.0`, `7e0` and `" 7"` are valid."""
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
    # The comparison with LARGEST_ID excludes infinity.
    return int(number) if 0 <= number <= LARGEST_ID and number == number // 1 else None
