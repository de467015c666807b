"""The names that people call tables by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from movies.lake.all_tables import TABLES
from movies.lake.table import Table


def layer_of(table: Table) -> str:
    """`gold` of `gold/genres`."""
    return table.name.partition("/")[0]


def short_name(table: Table) -> str:
    """`genres` of `gold/genres`."""
    return table.name.partition("/")[2]


def sql_name(table: Table) -> str:
    """`gold.genres`, as queries call `gold/genres`."""
    return table.name.replace("/", ".")


_TIMES_USED = Counter(short_name(table) for table in TABLES)
# Those that no two tables have.
SHORT_NAMES = {short_name(table): table for table in TABLES if _TIMES_USED[short_name(table)] == 1}


def complete_name(incomplete: str) -> Iterator[str]:
    """The names that begin like this, for a shell to offer."""
    names = [*map(sql_name, TABLES), *SHORT_NAMES]
    yield from (name for name in names if name.startswith(incomplete.lower()))
