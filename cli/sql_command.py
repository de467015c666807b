"""The command `movies sql`: a query over the lake, and its rows in any format."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from cli.options import SUFFIXES, Format
from cli.row_formats import Head, write_rows
from cli.streams import standard_output
from cli.terminal import Terminal
from cli.terminal_tables import terminal_width
from movies.lake.sql import ask
from movies.report.formats import counted
from movies.settings import SettingsError, decode_text, load_settings, read_text

# A table on the terminal stops after these rows; other formats have all.
SHOWN_ROWS = 100
# The column in which DuckDB draws the plan of EXPLAIN.
PLAN = "explain_value"


def read_sql(argument: str | None, file: Path | None) -> str:
    """Return the query: the argument, the content of a file, or standard input if the argument is `-`.

    Raises:
        SettingsError: the query is given twice or not at all, or cannot be read.
    """
    if (argument is None) == (file is None):
        raise SettingsError(
            "Give the query in quotes, or --file with one in it, or - and the query on standard input"
        )
    if file is not None:
        return read_text(file)
    if argument != "-":
        return (argument or "").lstrip("\ufeff")
    try:
        data = sys.stdin.buffer.read()
    except OSError as error:
        raise SettingsError(f"Standard input cannot be read: {error.strerror or error}") from error
    return decode_text(data, "Standard input")


def show_answer(
    sql: str,
    form: Format | None = None,
    output: Path | None = None,
    limit: int | None = None,
    versions: Sequence[str] = (),
    timeout: float | None = None,
    lake_root: str | None = None,
    escape_formulas: bool = False,
) -> None:
    """Write the rows of a query to standard output, or to a file that appears when it is complete.

    Raises:
        SettingsError: the format does not fit the output.
        LakeError: the query is not valid, took too long, or a table cannot be read.
    """
    lake = load_settings(lake_root=lake_root).lake
    form = form or (SUFFIXES.get(output.suffix.lower()) if output else None) or _default_format()
    if form is Format.PARQUET and output is None:
        raise SettingsError("Parquet needs a file. Give --output FILE.parquet")
    if escape_formulas and form is not Format.CSV:
        raise SettingsError(f"--escape-formulas is for CSV, and the format is {form}. Give --format csv")
    if output is not None and output.is_dir():
        raise SettingsError(f"{output} is a folder. Give --output the name of a file")
    rows = ask(lake, sql, dict(map(parse_version, versions)), timeout)
    if form is Format.TABLE and PLAN in rows.schema.names:
        with standard_output() as stream:
            stream.writelines(f"{row[PLAN]}\n".encode() for row in rows.read_all().to_pylist())
        return
    terminal = Terminal()
    head = Head(rows, SHOWN_ROWS if limit is None and form is Format.TABLE else limit)
    with _open(output) as stream:
        width = terminal_width() if output is None else None
        write_rows(rows.schema, head, form, stream, width, escape_formulas=escape_formulas)
        if form is Format.TABLE:
            stream.write(f"{_count(head)}\n".encode())
    if output is not None:
        terminal.say(f"{counted(head.rows, 'row')} in {output}")
    if head.left and form is not Format.TABLE:
        terminal.note(_count(head))


def parse_version(text: str) -> tuple[str, int]:
    """Split `silver.movies=3` into the name of the table and the version.

    Raises:
        SettingsError: there is no number.
    """
    name, _, version = text.partition("=")
    if not version.isdecimal():
        raise SettingsError(f"--version {text} has no number. Give TABLE=N, such as silver.movies=3")
    return name, int(version)


def _default_format() -> Format:
    return Format.TABLE if sys.stdout.isatty() else Format.CSV


def _count(head: Head) -> str:
    """Say how many rows there are, and how to get the others."""
    if head.left:
        everything = head.rows + head.left
        return f"{counted(head.rows, 'row')}, and {head.left:,} more. Get all with --limit {everything}"
    return counted(head.rows, "row")


@contextmanager
def _open(output: Path | None) -> Iterator[IO[bytes]]:
    """Open standard output, or a temporary file that is renamed when all has been written."""
    if output is None:
        with standard_output() as stream:
            yield stream
        return
    unfinished = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as stream:
            yield stream
        unfinished.replace(output)
    except OSError as error:
        raise SettingsError(f"{output} cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            unfinished.unlink()
