"""What tables and columns mean, in one sentence each."""

from __future__ import annotations

from movies.lake.table import Table
from movies.report.definitions.columns import COLUMNS
from movies.report.definitions.gold_columns import GOLD_COLUMNS
from movies.report.definitions.tables import TABLES

_GOLD = {name: meaning for names, meaning in GOLD_COLUMNS.items() for name in names}


def describe_table(table: Table) -> str:
    """What a row of it is; blank where nobody has said so."""
    return TABLES.get(table.name, "")


def describe_column(table: Table, column: str) -> str:
    """What a column of it says; blank where nobody has said so."""
    own = COLUMNS.get(table.name)
    return (_GOLD if own is None else own).get(column, "")
