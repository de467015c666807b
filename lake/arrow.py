"""The tables' schemas in Arrow's terms."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pyarrow as pa

from lake.tables import Table

TYPES: dict[str, Callable[[], pa.DataType]] = {
    "long": pa.int64,
    "integer": pa.int32,
    "double": pa.float64,
    "string": pa.string,
    "date": pa.date32,
    "timestamp": lambda: pa.timestamp("us", "UTC"),
}


def arrow_schema(table: Table) -> pa.Schema:
    """The declared columns, every one of them nullable."""
    return pa.schema([pa.field(name, TYPES[kind]()) for name, kind in table.columns.items()])


def arrow_rows(table: Table, rows: Iterable[object], **constants: object) -> pa.Table:
    """Build rows of a table from objects with attributes of its columns' names, and columns of one value."""
    rows = list(rows)
    columns = [
        [constants[name]] * len(rows) if name in constants else [getattr(row, name) for row in rows]
        for name in table.columns
    ]
    return pa.table(columns, schema=arrow_schema(table))
