"""Tables on the terminal and in Markdown."""

from __future__ import annotations

import io
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
from rich import box
from rich.cells import cell_len
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from movies.report.formats import UNKNOWN, straight_line
from movies.report.markdown import escape

GAP = 2
# Columns of text are cut to fit the terminal, down to this width; then each row becomes a block of lines.
NARROWEST = 12
DECIMALS = 4
SMALLEST = 0.001


def terminal_width() -> int | None:
    """Return the width of the terminal, or None if standard output is not a terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def table_lines(rows: pa.Table, width: int | None = None, *, wrap: bool = False) -> Iterator[str]:
    """Draw rows below the names of their columns; texts that exceed the width are cut or wrapped."""
    numbers = [is_number(field.type) for field in rows.schema]
    lines = [[straight_line(name) for name in rows.column_names], *_cells(rows)]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    least = [full if number else min(full, NARROWEST) for full, number in zip(widths, numbers, strict=True)]
    gaps = GAP * (len(widths) - 1)
    if width is not None and sum(least) + gaps > width:
        yield from _blocks(lines, width)
        return
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0))
    for name, number, cells in zip(lines[0], numbers, least, strict=True):
        justify: JustifyMethod = "right" if number else "left"
        table.add_column(Text(name), justify=justify, no_wrap=number, min_width=cells)
    for line in lines[1:]:
        table.add_row(*(Text(text, no_wrap=not wrap, overflow="ellipsis") for text in line))
    yield from _draw(table, min(width or sys.maxsize, sum(widths) + gaps))


def rows_of(names: Sequence[str], rows: Sequence[Sequence[object]]) -> pa.Table:
    """Make a table of rows of texts and numbers."""
    return pa.table([list(column) for column in zip(*rows, strict=True)] or [[]] * len(names), names)


def _blocks(lines: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """Draw each row as a block of lines, each with a name and a value."""
    names = max(map(cell_len, lines[0]))
    for place, line in enumerate(lines[1:], start=1):
        yield f"── {place} ".ljust(min(width, names + GAP + NARROWEST), "─")
        table = Table.grid(padding=(0, GAP, 0, 0))
        for name, text in zip(lines[0], line, strict=True):
            table.add_row(Text(name, no_wrap=True), Text(text, no_wrap=True, overflow="ellipsis"))
        yield from _draw(table, width)


def _draw(table: Table, width: int) -> Iterator[str]:
    console = Console(file=io.StringIO(), width=width, color_system=None, legacy_windows=False)
    with console.capture() as drawn:
        console.print(table)
    yield from map(str.rstrip, drawn.get().splitlines())


def markdown_lines(rows: pa.Table) -> Iterator[str]:
    """Draw a table in Markdown."""
    marks = ["---:" if is_number(field.type) else ":---" for field in rows.schema]
    names = [escape(straight_line(name)) for name in rows.column_names]
    for line in (names, marks, *(map(escape, line) for line in _cells(rows))):
        yield f"| {' | '.join(line)} |"


def is_number(kind: pa.DataType) -> bool:
    """Whether a column has numbers, which are aligned to the right."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _cells(rows: pa.Table) -> list[list[str]]:
    return [[*map(cell, row)] for row in zip(*(column.to_pylist() for column in rows.columns), strict=True)]


def cell(value: Any) -> str:
    """Format a value on one line: null as a dash, numbers with at most four decimals, times to the second."""
    match value:
        case None:
            return UNKNOWN
        case bool():
            return str(value).lower()
        case float():
            # No negative zero; small numbers keep three digits.
            return f"{value:.3g}" if 0 < abs(value) < SMALLEST else f"{round(value, DECIMALS) + 0.0:.15g}"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case bytes():
            return value.hex() or UNKNOWN
        case dict() | list():
            return straight_line(json.dumps(value, ensure_ascii=False, default=str))
    return straight_line(str(value))
