"""Keeping keys out of every text that leaves the process."""

from __future__ import annotations

import logging
import re

# `api_key=…` in a URL's query, and the token behind `Bearer`.
_CREDENTIALS = re.compile(r"(api_key=|[Bb]earer\s+)[^\s&\"'<>,;)\]}]+")
_HIDDEN = r"\1***"


def redact(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Replace credentials by their form, and known secrets wherever they stand."""
    text = _CREDENTIALS.sub(_HIDDEN, text)
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


def redact_record(record: logging.LogRecord) -> bool:
    """A log filter that lets every record pass, without its credentials."""
    record.msg, record.args = redact(record.getMessage()), ()
    return True
