"""Copying the lake away and back, for `movies backup` and `movies restore`."""

from __future__ import annotations

import time
from collections.abc import Sequence

from cli.terminal import Terminal
from movies.lake.backup import CopiedTable, copy_lake
from movies.settings import SettingsError, load_settings, parse_lake

BYTES_A_KILOBYTE = 1_000


def show_backup(target: str, lake_root: str | None) -> None:
    """Copy the lake to a folder or URL, and say what is there."""
    _show_copy(source=lake_root, target=target, name="Backup")


def show_restore(backup: str, lake_root: str | None) -> None:
    """Copy a backup to where the lake was, and say what is there."""
    _show_copy(source=backup, target=lake_root, name="Lake")


def _show_copy(source: str | None, target: str | None, name: str) -> None:
    terminal = Terminal()
    # Both are given as LAKE_ROOT would be; None is what LAKE_ROOT says.
    source_root, target_root = (_place(root) for root in (source, target))
    began = time.monotonic()
    try:
        tables = copy_lake(source_root, target_root)
    except KeyboardInterrupt as interrupt:
        raise type(interrupt)(
            f"Interrupted: the same command again finishes what was begun in {target_root}"
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
    terminal.say(f"  {'table':<28} {'rows':>10} {'version':>8} {'files':>8} {'kB':>12}")
    for table in tables:
        terminal.say(
            f"  {table.name:<28} {table.rows:>10,} {table.version:>8} {table.files:>8,} "
            f"{table.size / BYTES_A_KILOBYTE:>12,.0f}"
        )
    files, size = sum(table.files for table in tables), sum(table.size for table in tables)
    terminal.say(
        f"  {f'{len(tables)} tables':<28} {'':>10} {'':>8} {files:>8,} {size / BYTES_A_KILOBYTE:>12,.0f}"
    )
