"""The process's standard streams, whatever they are connected to."""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

import typer

from movies.tmdb.redaction import escape_controls

SIZES = ("COLUMNS", "LINES")
# Replacements for the signs of tables, for encodings that lack them; others are written as escapes.
PLAIN = {"─": "-", "–": "-", "…": "."}  # noqa: RUF001
ERRORS = "movies-plain"


def prepare_streams() -> None:
    """Open closed standard streams, let them take any character, and ignore a width of 0."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:  # closed by the parent process
            _open_null(number)
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
    codecs.register_error(ERRORS, _write_plainly)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ERRORS)
    for name in SIZES:
        if not (size := os.environ.get(name, "1")).isdecimal() or int(size) == 0:
            del os.environ[name]


def silence(stream: IO[Any]) -> None:
    """Redirect a stream whose reader has left, as after `head`, to the null device."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


@contextmanager
def standard_output() -> Iterator[IO[bytes]]:
    """Standard output for data: verbatim in a pipe or a file, with control characters escaped on a terminal.

    Raises:
        typer.Exit: the reader has closed the pipe; status 0.
    """
    stream: IO[bytes] = sys.stdout.buffer
    try:
        yield cast("IO[bytes]", _Escaped(stream)) if sys.stdout.isatty() else stream
        stream.flush()
    except BrokenPipeError:
        silence(sys.stdout)
        raise typer.Exit(0) from None


class _Escaped(io.RawIOBase):
    """Writes text with its control characters escaped, except line ends."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._stream.write(escape_controls(self._decoder.decode(piece), keep="\n").encode())
        return len(piece)

    def flush(self) -> None:
        self._stream.flush()


def _write_plainly(error: UnicodeError) -> tuple[str | bytes, int]:
    if isinstance(error, UnicodeEncodeError) and (plain := PLAIN.get(error.object[error.start])):
        return plain, error.start + 1
    return codecs.backslashreplace_errors(error)


def _open_null(number: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    if null != number:
        os.dup2(null, number)
        os.close(null)
