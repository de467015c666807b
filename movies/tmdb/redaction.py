"""Keeping keys, and characters that command a terminal, out of every text that leaves the process."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from functools import lru_cache

# `api_key=…` in a URL's query, and the token behind `Bearer`.
_CREDENTIALS = re.compile(r"(api_key=|[Bb]earer\s+)[^\s&\"'<>,;)\]}]+")
MOST_QUOTED = 200
# The password of a URL, with its user.
_USER_INFO = re.compile(r"(?<=://)[^\s/?#:@]*:[^\s/?#@]*(?=@)")
_QUERY = re.compile(r"(://[^\s'\"?]+\?)[^\s'\"]+")
_HIDDEN = "***"
# A shorter secret can be a part of a word, such as `k` of `asked`.
SHORTEST_UNMISTAKABLE = 8
# C0, DEL and C1; other ends of a line; what turns text around; half a surrogate pair, which no file takes.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Replace credentials by their form, and known secrets as they are or percent-encoded.

    A secret under 8 characters is replaced only if it is a whole word.
    """
    text = _CREDENTIALS.sub(rf"\1{_HIDDEN}", text)
    text = _USER_INFO.sub(_HIDDEN, text)
    pattern = _pattern(tuple(secrets))
    return pattern.sub(_HIDDEN, text) if pattern else text


def quote(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Make a server's words fit for logs and tables: one line, without secrets, not too long."""
    # Before it is cut, or a part of a secret would be left.
    text = redact(text, secrets)
    return escape_controls(text if len(text) <= MOST_QUOTED else f"{text[:MOST_QUOTED]}…")


def redact_record(record: logging.LogRecord) -> bool:
    """A log filter that lets every record pass, without its credentials."""
    record.msg, record.args = redact(record.getMessage()), ()
    return True


def hide_queries(text: str) -> str:
    """Replace the query of each URL: that of a signed address is as good as a key."""
    return _QUERY.sub(rf"\1{_HIDDEN}", text)


def escape_controls(text: str, keep: str = "") -> str:
    r"""Write characters that command a terminal or a log as escapes, such as `\x1b` and `\n`."""
    return _CONTROLS.sub(lambda found: found[0] if found[0] in keep else _escape(found[0]), text)


def _escape(sign: str) -> str:
    return sign.encode("unicode_escape").decode()


@lru_cache(maxsize=16)
def _pattern(secrets: tuple[str, ...]) -> re.Pattern[str] | None:
    """Any of these texts, the longest first: one may be a part of another."""
    texts = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
    return re.compile("|".join(map(_in_any_form, texts))) if texts else None


def _in_any_form(secret: str) -> str:
    form = "".join(map(_sign_in_any_form, secret))
    return form if len(secret) >= SHORTEST_UNMISTAKABLE else rf"(?<![\w-]){form}(?![\w-])"


def _sign_in_any_form(sign: str) -> str:
    """As it is, percent-encoded, or behind the backslash that `repr` and JSON put before quotes."""
    encoded = "".join(f"%{byte:02x}" for byte in sign.encode("utf-8", "surrogatepass"))
    backslash = r"\\?" if sign in "\\\"'" else ""
    return f"(?:{backslash}{re.escape(sign)}|(?i:{encoded}))"
