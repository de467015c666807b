"""What tables hold, for `movies show`."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterator

from cli.terminal import Terminal
from movies.lake.catalogue import Catalogue, Entry, find_table
from movies.lake.names import sql_name
from movies.lake.queries import ask_table
from movies.lake.table import Table
from movies.report.answers import grid_of
from movies.report.grids import GAP, Grid
from movies.report.provenance import SHOWN_DIGITS
from movies.settings import load_settings

DATE = "%Y-%m-%d %H:%M"
LABEL_CELLS = 12
# However narrow the terminal is.
NARROWEST = 20


def show_tables(lake_root: str | None) -> None:
    """List all tables: rows, version, when it was written, and what a row is."""
    terminal = Terminal()
    lake = load_settings(lake_root=lake_root).lake
    terminal.say(f"Lake at {lake}")
    rows = [_line(table, entry) for table, entry in Catalogue(lake).entries()]
    names = ("table", "rows", "version", "written (UTC)", "what is in it")
    _say_grid(terminal, Grid(names, (False, True, True, False, False), rows))


def _line(table: Table, entry: Entry | None) -> tuple[str, ...]:
    meaning = plain(table.meaning)
    if entry is None:
        return sql_name(table), "-", "-", "-", meaning
    return sql_name(table), f"{entry.count_rows():,}", str(entry.version), _written(entry), meaning


def show_table(name: str, version: int | None, most_rows: int, lake_root: str | None) -> None:
    """Say what one table holds, and show its columns and first rows.

    Raises:
        UnknownTableError: there is no table of that name.
        TableMissingError: it is not in the lake yet.
        VersionGoneError: it has no such version, or not any more.
    """
    terminal = Terminal()
    lake = load_settings(lake_root=lake_root).lake
    table = find_table(name)
    entry = Catalogue(lake).open(table, version)
    terminal.say(f"{sql_name(table)}: {plain(table.meaning)}")
    for label, text in _facts(entry, table.path(lake)):
        terminal.say(f"  {label + ' ':.<{LABEL_CELLS}} {text}")
    terminal.say("")
    _say_grid(terminal, Grid(("column", "type", "meaning"), (False, False, False), [*_columns(entry)]))
    if not most_rows:
        return
    first = ask_table(entry, most_rows)
    terminal.say("")
    _say_grid(terminal, grid_of(first.schema, first.batches))


def _facts(entry: Entry, place: str) -> Iterator[tuple[str, str]]:
    yield "rows", f"{entry.count_rows():,}"
    newest = entry.newest.version()
    note = "" if entry.version == newest else f", the newest is {newest}"
    yield "version", f"{entry.version}{note}"
    yield "written", f"{_written(entry)} (UTC)"
    if entry.is_published and (publication := entry.publication):
        yield "published", f"{publication.published_at:{DATE}} (UTC) by the stage {publication.stage}"
    if origin := dict(entry.origin()):
        code, run = (origin.pop(key, "")[:SHOWN_DIGITS] for key in ("code_version", "run_id"))
        made_from = [
            f"{key.removesuffix('_version').replace('_', '.', 1)} version {value}"
            for key, value in origin.items()
        ]
        by = [f"{what} {digits}" for what, digits in (("code", code), ("run", run)) if digits]
        yield "made from", ", ".join([*made_from, *by])
    yield "place", place


def _columns(entry: Entry) -> Iterator[tuple[str, str, str]]:
    """A line for each column, or several where its meaning is longer than the terminal is wide."""
    # As they are, not as they are declared: a setting gives some, and an older table lacks some.
    columns = {field.name: str(field.type.type) for field in entry.found.schema().fields}
    declared = {**entry.table.optional, **entry.table.columns}
    names, kinds = (max(map(len, texts)) for texts in (columns, columns.values()))
    room = max(NARROWEST, (_width() or sys.maxsize) - names - kinds - 2 * len(GAP))
    for column, kind in columns.items():
        meaning = declared[column].meaning if column in declared else ""
        first, *others = textwrap.wrap(plain(meaning), room) or ["-"]
        yield column, kind, first
        yield from (("", "", other) for other in others)


def _written(entry: Entry) -> str:
    written = entry.written_at()
    return "-" if written is None else f"{written:{DATE}}"


def _say_grid(terminal: Terminal, grid: Grid) -> None:
    for line in grid.lines(_width()):
        terminal.say(line)


def _width() -> int | None:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def plain(text: str) -> str:
    """Remove the marks that documentation puts around names."""
    return text.replace("`", "")
