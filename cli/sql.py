"""A query over the lake, and its rows in the format somebody wants, for `movies sql`."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from cli.streams import standard_output
from cli.terminal import Terminal
from movies.lake.queries import Answer, ask
from movies.lake.statements import is_plan
from movies.report.answer_formats import Format, format_of
from movies.report.answers import Head, write_answer
from movies.report.formats import counted
from movies.settings import SettingsError, decode_text, load_settings, read_text

# A person reads this many rows; programs get all of them.
SHOWN_ROWS = 100


def read_sql(argument: str | None, file: Path | None) -> str:
    """The query as it is given: in words, in a file, or on standard input where the word is `-`.

    Raises:
        SettingsError: it is given twice or not at all, or cannot be read.
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
    form: Format | None,
    output: Path | None,
    limit: int | None,
    lake_root: str | None,
    escape_formulas: bool = False,
) -> None:
    """Answer the query on standard output, or into a file that is there once it is whole.

    Raises:
        SettingsError: the format and where it is to go do not fit.
        LakeError: the query is wrong, or a table cannot be read.
    """
    lake = load_settings(lake_root=lake_root).lake
    form = form or (format_of(output) if output else None) or _default_format()
    if form is Format.PARQUET and output is None:
        raise SettingsError("Parquet goes into a file: give --output FILE.parquet")
    if escape_formulas and form is not Format.CSV:
        raise SettingsError(f"--escape-formulas is for CSV, and the format is {form}. Give --format csv")
    if output is not None and output.is_dir():
        raise SettingsError(f"{output} is a folder. Give --output the name of a file")
    answer = ask(lake, sql)
    terminal = Terminal()
    if form is Format.TABLE and is_plan(sql):
        _say_plan(answer)
        return
    shown = SHOWN_ROWS if limit is None and form is Format.TABLE else limit
    head = Head(answer.batches, shown)
    with _open(output) as stream:
        width = shutil.get_terminal_size().columns if output is None and sys.stdout.isatty() else None
        write_answer(answer.schema, head, form, stream, width, escape_formulas=escape_formulas)
        if form is Format.TABLE:
            stream.write(f"{_count(head)}\n".encode())
    if output is not None:
        terminal.say(f"{counted(head.rows, 'row')} in {output}")
    if head.left and form is not Format.TABLE:
        terminal.note(_count(head))


def _default_format() -> Format:
    return Format.TABLE if sys.stdout.isatty() else Format.CSV


def _count(head: Head) -> str:
    """How many rows there are, and how to have those that are not shown."""
    if head.left:
        return f"{counted(head.rows, 'row')}, and {head.left:,} more: --limit {head.rows + head.left} has all"
    return counted(head.rows, "row")


def _say_plan(answer: Answer) -> None:
    with standard_output() as stream:
        for row in answer.read_all().to_pylist():
            stream.write(f"{row['plan_type']}\n{row['plan']}\n".encode())


@contextmanager
def _open(output: Path | None) -> Iterator[IO[bytes]]:
    """Standard output, or a file that takes its name when all has been written."""
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
