"""Arrow schemas of the tables, and rows in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from movies.lake.table import Table

TYPES: dict[str, Callable[[], pa.DataType]] = {
    "long": pa.int64,
    "integer": pa.int32,
    "double": pa.float64,
    "string": pa.string,
    "date": pa.date32,
    "timestamp": lambda: pa.timestamp("us", "UTC"),
}


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def arrow_schema(table: Table) -> pa.Schema:
    """Return the declared columns, all nullable."""
    return pa.schema([pa.field(name, TYPES[column.type]()) for name, column in table.columns.items()])


def arrow_rows(table: Table, rows: Iterable[object], **constants: object) -> pa.Table:
    """Build rows of a table from objects with an attribute for each column that is not constant."""
    rows = list(rows)
    columns = [
        [constants[name]] * len(rows) if name in constants else [getattr(row, name) for row in rows]
        for name in table.columns
    ]
    return pa.table(columns, schema=arrow_schema(table))


def moments(column: pa.ChunkedArray | pa.Scalar) -> list[datetime | None]:
    """Return the times of a column, or of a scalar, in UTC; Arrow's own `as_py` would load pandas."""
    numbers = column.cast(pa.int64())
    values = [numbers.as_py()] if isinstance(numbers, pa.Scalar) else numbers.to_pylist()
    return [None if value is None else EPOCH + timedelta(microseconds=value) for value in values]
