"""Keeping keys out of every text that leaves the process."""

from __future__ import annotations

import logging
import re

# `api_key=…` in a URL's query, and the token behind `Bearer`.
_CREDENTIALS = re.compile(r"(api_key=|[Bb]earer\s+)[^\s&\"'<>,;)\]}]+")
_HIDDEN = r"\1***"
MOST_QUOTED = 200


def redact(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Replace credentials by their form, and known secrets wherever they stand."""
    text = _CREDENTIALS.sub(_HIDDEN, text)
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


def quote(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Make a server's words fit for logs and tables: one line, without secrets, not too long."""
    # Before it is cut, or a part of a secret would be left.
    text = redact(text, secrets)
    text = text if len(text) <= MOST_QUOTED else f"{text[:MOST_QUOTED]}…"
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def redact_record(record: logging.LogRecord) -> bool:
    """A log filter that lets every record pass, without its credentials."""
    record.msg, record.args = redact(record.getMessage()), ()
    return True
