"""Formats for the rows of a query: for a person, a spreadsheet or a program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO, Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.csv import CSVWriter
from pyarrow.parquet import ParquetWriter

from cli.options import Format
from cli.terminal_tables import is_number, markdown_lines, table_lines

# What spreadsheets compute: https://owasp.org/www-community/attacks/CSV_Injection.
FORMULA = r"^([=+\-@\t\r\n＝＋－＠])"  # noqa: RUF001
# Their columns are an object's keys, or a file's.
UNIQUE_NAMES = {Format.JSON, Format.NDJSON, Format.PARQUET}
FLAT = (
    *(pa.types.is_string, pa.types.is_boolean, pa.types.is_null),
    *(pa.types.is_date, pa.types.is_time, pa.types.is_timestamp),
)


class RowFormatError(Exception):
    """Rows cannot be written in a format; the text says what to do (exit status 2)."""

    is_usage = True


class Head:
    """The first rows of some batches; after the iteration, `left` counts the other rows."""

    def __init__(self, batches: Iterable[pa.RecordBatch], most: int | None) -> None:
        self._batches, self._most = batches, most
        self.rows, self.left = 0, 0

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for batch in self._batches:
            room = batch.num_rows if self._most is None else min(self._most - self.rows, batch.num_rows)
            self.rows += room
            self.left += batch.num_rows - room
            if room:
                yield batch.slice(0, room)


def write_rows(
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    form: Format,
    stream: IO[bytes],
    most_cells: int | None = None,
    *,
    escape_formulas: bool = False,
) -> None:
    """Write rows, batch by batch if the format allows that.

    With `escape_formulas`, texts in CSV that a spreadsheet would compute get an apostrophe in front.

    Raises:
        RowFormatError: two columns have the same name, which the format does not allow.
    """
    twice = {name for name in schema.names if schema.names.count(name) > 1}
    if twice and form in UNIQUE_NAMES:
        raise RowFormatError(
            f"Two columns are named {min(twice)}, which {form} does not allow. Rename one with AS"
        )
    if form is Format.CSV:
        _write_csv(schema, batches, stream, escape_formulas)
    elif form is Format.PARQUET:
        with ParquetWriter(stream, schema, compression="zstd") as writer:
            for batch in batches:
                writer.write_batch(batch)
    elif form is Format.JSON:
        stream.write(b"[\n")
        for place, row in enumerate(_objects(batches)):
            stream.write((b",\n" if place else b"") + row)
        stream.write(b"\n]\n")
    elif form is Format.NDJSON:
        stream.writelines(row + b"\n" for row in _objects(batches))
    else:
        rows = pa.Table.from_batches(batches, schema)
        lines = markdown_lines(rows) if form is Format.MARKDOWN else table_lines(rows, most_cells)
        stream.writelines(f"{line}\n".encode() for line in lines)


def _write_csv(
    schema: pa.Schema, batches: Iterable[pa.RecordBatch], stream: IO[bytes], escape_formulas: bool
) -> None:
    def flatten(batch: pa.RecordBatch) -> pa.RecordBatch:
        columns = [_flatten(column, escape_formulas) for column in batch.columns]
        return pa.RecordBatch.from_arrays(columns, schema.names)

    empty = [pa.array([], field.type) for field in schema]
    with CSVWriter(stream, flatten(pa.RecordBatch.from_arrays(empty, schema.names)).schema) as writer:
        for batch in batches:
            writer.write_batch(flatten(batch))


def _flatten(column: pa.Array, escape_formulas: bool) -> pa.Array:
    """Convert a column for CSV: lists, structures and bytes become JSON, formulas are escaped on request."""
    if not is_number(column.type) and not any(is_flat(column.type) for is_flat in FLAT):
        texts = [None if value is None else _json(value).decode().strip('"') for value in column.to_pylist()]
        column = pa.array(texts, pa.string())
    if escape_formulas and pa.types.is_string(column.type):
        return pc.replace_substring_regex(column, FORMULA, r"'\1")
    return column


def _objects(batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    return (_json(row) for batch in batches for row in batch.to_pylist())


def _json(value: Any) -> bytes:
    return msgspec.json.encode(value, enc_hook=str)
