"""Names of tables in commands and queries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

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


def short_names(tables: Iterable[Table]) -> dict[str, Table]:
    """Return the tables whose short name is unique, by it."""
    tables = tuple(tables)
    times_used = Counter(map(short_name, tables))
    return {short_name(table): table for table in tables if times_used[short_name(table)] == 1}


def complete_name(incomplete: str) -> Iterator[str]:
    """Yield the names of declared tables that begin with a text, for completion in a shell."""
    names = [*map(sql_name, TABLES), *short_names(TABLES)]
    yield from (name for name in names if name.startswith(incomplete.lower()))
