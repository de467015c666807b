"""Names of tables in commands and queries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from movies.lake.all_tables import TABLES
from movies.lake.table import Table


def layer_of(table: Table) -> str:
    """Return `gold` of `gold/genres`."""
    return table.name.partition("/")[0]


def short_name(table: Table) -> str:
    """Return `genres` of `gold/genres`."""
    return table.name.partition("/")[2]


def sql_name(table: Table) -> str:
    """Return `gold.genres`, the name of `gold/genres` in queries."""
    return table.name.replace("/", ".")


_TIMES_USED = Counter(short_name(table) for table in TABLES)
# Only unique ones.
SHORT_NAMES = {short_name(table): table for table in TABLES if _TIMES_USED[short_name(table)] == 1}


def complete_name(incomplete: str) -> Iterator[str]:
    """Yield the names that begin with a text, for completion in a shell."""
    names = [*map(sql_name, TABLES), *SHORT_NAMES]
    yield from (name for name in names if name.startswith(incomplete.lower()))
