"""Remove keys and terminal control characters from texts that leave the process."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from functools import lru_cache

# `api_key=…` in a URL's query, and the token after `Bearer`.
_CREDENTIALS = re.compile(r"(api_key=|[Bb]earer\s+)[^\s&\"'<>,;)\]}]+")
MOST_QUOTED = 200
# User and password of a URL.
_USER_INFO = re.compile(r"(?<=://)[^\s/?#:@]*:[^\s/?#@]*(?=@)")
_QUERY = re.compile(r"(://[^\s'\"?]+\?)[^\s'\"]+")
_HIDDEN = "***"
# A shorter secret can be a part of a word, such as `k` of `asked`.
SHORTEST_UNMISTAKABLE = 8
# C0, DEL and C1, other line ends, marks of text direction, and half surrogate pairs, which files cannot have.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Replace credentials, recognised by their form, and known secrets, plain or percent-encoded.

    A secret under 8 characters is replaced only if it is a whole word.
    """
    text = _CREDENTIALS.sub(rf"\1{_HIDDEN}", text)
    text = _USER_INFO.sub(_HIDDEN, text)
    pattern = _pattern(tuple(secrets))
    return pattern.sub(_HIDDEN, text) if pattern else text


def quote(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Make a server's text safe for logs and tables: one line, without secrets, not too long."""
    # Redact before cutting, or a part of a secret would be left.
    text = redact(text, secrets)
    return escape_controls(text if len(text) <= MOST_QUOTED else f"{text[:MOST_QUOTED]}…")


def redact_record(record: logging.LogRecord) -> bool:
    """Remove credentials from a log record; a filter that lets every record pass."""
    record.msg, record.args = redact(record.getMessage()), ()
    return True


def hide_queries(text: str) -> str:
    """Replace the query of each URL, because that of a signed address gives access like a key."""
    return _QUERY.sub(rf"\1{_HIDDEN}", text)


def escape_controls(text: str, keep: str = "") -> str:
    r"""Write control characters as escapes, such as `\x1b` and `\n`."""
    return _CONTROLS.sub(lambda found: found[0] if found[0] in keep else _escape(found[0]), text)


def _escape(sign: str) -> str:
    return sign.encode("unicode_escape").decode()


@lru_cache(maxsize=16)
def _pattern(secrets: tuple[str, ...]) -> re.Pattern[str] | None:
    """Return a pattern of these texts, longest first, because one may be a part of another."""
    texts = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
    return re.compile("|".join(map(_in_any_form, texts))) if texts else None


def _in_any_form(secret: str) -> str:
    form = "".join(map(_sign_in_any_form, secret))
    return form if len(secret) >= SHORTEST_UNMISTAKABLE else rf"(?<![\w-]){form}(?![\w-])"


def _sign_in_any_form(sign: str) -> str:
    """Match a character plain, percent-encoded, or after a backslash, as `repr` and JSON write quotes."""
    encoded = "".join(f"%{byte:02x}" for byte in sign.encode("utf-8", "surrogatepass"))
    backslash = r"\\?" if sign in "\\\"'" else ""
    return f"(?:{backslash}{re.escape(sign)}|(?i:{encoded}))"
