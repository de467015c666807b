"""What tables hold, for `movies show`."""

from __future__ import annotations

from collections.abc import Iterator

from cli.terminal import Terminal
from cli.terminal_tables import rows_of
from movies.lake.catalogue import Catalogue, Entry
from movies.lake.table import Table
from movies.lake.table_names import sql_name
from movies.report.provenance import SHOWN_DIGITS
from movies.settings import load_settings

DATE = "%Y-%m-%d %H:%M"
LABEL_CELLS = 12


def show_tables(lake_root: str | None) -> None:
    """List all tables: rows, version, when it was written, and what a row is."""
    terminal = Terminal()
    lake = load_settings(lake_root=lake_root).lake
    terminal.say(f"Lake at {lake}")
    rows = [_line(table, entry) for table, entry in Catalogue(lake).entries()]
    names = ("table", "rows", "version", "written (UTC)", "what is in it")
    terminal.say_rows(rows_of(names, rows), wrap=True)


def _line(table: Table, entry: Entry | None) -> tuple[object, ...]:
    meaning = plain(table.meaning)
    if entry is None:
        return sql_name(table), None, None, "-", meaning
    return sql_name(table), entry.count_rows(), entry.version, _written(entry), meaning


def show_table(name: str, version: int | None, most_rows: int, lake_root: str | None) -> None:
    """Show the facts, the columns and the first rows of a table.

    Raises:
        UnknownTableError: there is no table of that name.
        TableMissingError: it is not in the lake yet.
        VersionGoneError: the version does not exist, or no longer.
    """
    terminal = Terminal()
    lake = load_settings(lake_root=lake_root).lake
    catalogue = Catalogue(lake)
    table = catalogue.find(name)
    entry = catalogue.open(table, version)
    terminal.say(f"{sql_name(table)}: {plain(table.meaning)}")
    for label, text in _facts(entry, table.path(lake)):
        terminal.say(f"  {label + ' ':.<{LABEL_CELLS}} {text}")
    terminal.say("")
    # The columns may differ from the declared ones: a setting adds some, and an older table lacks some.
    declared = {**table.optional, **table.columns}
    columns = [
        (
            field.name,
            str(field.type.type),
            plain(declared[field.name].meaning) if field.name in declared else "-",
        )
        for field in entry.found.schema().fields
    ]
    terminal.say_rows(rows_of(("column", "type", "meaning"), columns), wrap=True)
    if most_rows:
        terminal.say("")
        terminal.say_rows(entry.first_rows(most_rows))


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


def _written(entry: Entry) -> str:
    written = entry.written_at()
    return "-" if written is None else f"{written:{DATE}}"


def plain(text: str) -> str:
    """Remove the marks that documentation puts around names."""
    return text.replace("`", "")
