"""What is in the lake, for `movies status`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pyarrow.compute as pc

from flows.terminal import Terminal
from lake.cursor import Cursor, read_cursor
from lake.delta import open_table, query
from lake.errors import LakeError
from lake.inventory import Inventory, read_inventory
from lake.tables import TABLES
from settings import SettingsError, load_settings
from tmdb.client import tally


def show_status(lake_root: str | None) -> int:
    """Say each table's rows, version and age; return the exit status."""
    terminal = Terminal()
    try:
        lake = load_settings(lake_root=lake_root).lake
    except SettingsError as error:
        terminal.fail(str(error))
        return 2
    terminal.say(f"Lake at {lake}")
    terminal.say(f"  {'table':<28} {'rows':>10} {'version':>8}  last written (UTC)")
    try:
        for table in TABLES:
            found = open_table(table, lake)
            if found is None:
                terminal.say(f"  {table.name:<28} {'-':>10}")
                continue
            rows = query(found, "SELECT count(*) AS rows FROM t").column("rows")[0].as_py()
            written = datetime.fromtimestamp(found.history(1)[0]["timestamp"] / 1000, UTC)
            terminal.say(f"  {table.name:<28} {rows:>10,} {found.version():>8}  {written:%Y-%m-%d %H:%M}")
        for line in describe_movies(read_inventory(lake), read_cursor(lake)):
            terminal.say(line)
    except LakeError as error:
        terminal.fail(str(error))
        return 1
    return 0


def describe_movies(inventory: Inventory, cursor: Cursor) -> Iterator[str]:
    """What the lake has of all the movies it knows of, what it lacks, and why."""
    present, absent, deleted = (
        pc.sum(mask).as_py() or 0
        for mask in (inventory.is_present, inventory.is_absent, inventory.is_deleted)
    )
    owed = inventory.owed_by_reason
    yield f"Movies: {present:,} here, {absent:,} not at TMDB ({deleted:,} of them deleted since), " + (
        f"{sum(owed.values()):,} owed ({tally(owed)})" if owed else "none owed"
    )
    if (oldest := inventory.oldest_fetch) is not None:
        newest = pc.max(inventory.movies["fetched_at"]).as_py()
        yield f"Fetched between {oldest:%Y-%m-%d %H:%M} and {newest:%Y-%m-%d %H:%M} (UTC)"
    if cursor.followed is not None:
        yield f"TMDB's changes are followed until {cursor.followed:%Y-%m-%d %H:%M} (UTC)"
    if cursor.broken_off is not None:
        yield "A walk over TMDB's changes was broken off: the next run from the source changes goes on"
