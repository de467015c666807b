"""What is in the lake, for `movies status`."""

from __future__ import annotations

from datetime import UTC, datetime

from flows.terminal import Terminal
from lake.delta import open_table, query
from lake.errors import LakeError
from lake.tables import TABLES
from settings import SettingsError, load_settings


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
    except LakeError as error:
        terminal.fail(str(error))
        return 1
    return 0
