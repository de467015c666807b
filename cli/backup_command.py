"""Copies of the lake, for `movies backup` and `movies restore`."""

from __future__ import annotations

import time
from collections.abc import Sequence

from cli.terminal import Terminal
from cli.terminal_tables import rows_of
from movies.lake.backup import CopiedTable, copy_lake
from movies.settings import SettingsError, load_settings, parse_lake

BYTES_A_KILOBYTE = 1_000


def show_backup(target: str, lake_root: str | None) -> None:
    """Copy the lake to a folder or URL, and list the copied tables."""
    _show_copy(source=lake_root, target=target, name="Backup")


def show_restore(backup: str, lake_root: str | None) -> None:
    """Copy a backup into the lake, and list the copied tables."""
    _show_copy(source=backup, target=lake_root, name="Lake")


def _show_copy(source: str | None, target: str | None, name: str) -> None:
    terminal = Terminal()
    # Both have the form of LAKE_ROOT; None stands for LAKE_ROOT.
    source_root, target_root = (_place(root) for root in (source, target))
    began = time.monotonic()
    try:
        tables = copy_lake(source_root, target_root)
    except KeyboardInterrupt as interrupt:
        raise type(interrupt)(
            f"Interrupted. Run the same command again to finish the copy in {target_root}"
        ) from None
    _say_tables(terminal, tables)
    terminal.say(f"{name} is in {target_root}, copied in {time.monotonic() - began:.1f} s")


def _place(root: str | None) -> str:
    if root is None:
        return load_settings().lake
    try:
        return parse_lake(root)
    except ValueError as error:
        raise SettingsError(f"The place of a copy: {error}") from error


def _say_tables(terminal: Terminal, tables: Sequence[CopiedTable]) -> None:
    rows: list[tuple[object, ...]] = [
        (table.name, table.rows, table.version, table.files, table.size // BYTES_A_KILOBYTE)
        for table in tables
    ]
    files, size = sum(table.files for table in tables), sum(table.size for table in tables)
    rows.append((f"{len(tables)} tables", None, None, files, round(size / BYTES_A_KILOBYTE)))
    terminal.say_rows(rows_of(("table", "rows", "version", "files", "kB"), rows))
