"""Rows of a query in the format of whoever reads them: a person, a spreadsheet, a program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO, Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from cli.options import Format
from cli.tables import is_number, markdown_lines, table_lines

# What spreadsheets compute: https://owasp.org/www-community/attacks/CSV_Injection.
FORMULA = r"^([=+\-@\t\r\n＝＋－＠])"  # noqa: RUF001
# Their columns are an object's keys, or a file's.
UNIQUE_NAMES = {Format.JSON, Format.NDJSON, Format.PARQUET}
FLAT = (pa.types.is_string, pa.types.is_boolean, pa.types.is_temporal, pa.types.is_null)


class RowFormatError(Exception):
    """Rows cannot be written in a format; the text says how they can (exit status 2)."""

    is_usage = True


class Head:
    """The first rows of some batches; `left` counts the others, once all batches have been taken."""

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

    With `escape_formulas` a text of CSV that a spreadsheet would compute begins with an apostrophe.

    Raises:
        RowFormatError: the format needs every column to have a name of its own.
    """
    twice = {name for name in schema.names if schema.names.count(name) > 1}
    if twice and form in UNIQUE_NAMES:
        raise RowFormatError(
            f"Two columns are called {min(twice)}: for {form}, give one another name, with AS"
        )
    if form is Format.CSV:
        _write_csv(schema, batches, stream, escape_formulas)
    elif form is Format.PARQUET:
        _write_parquet(schema, batches, stream)
    elif form in (Format.JSON, Format.NDJSON):
        _write_json(schema, batches, stream, as_lines=form is Format.NDJSON)
    else:
        rows = pa.Table.from_batches(batches, schema)
        lines = markdown_lines(rows) if form is Format.MARKDOWN else table_lines(rows, most_cells)
        stream.writelines(f"{line}\n".encode() for line in lines)


def _write_csv(
    schema: pa.Schema, batches: Iterable[pa.RecordBatch], stream: IO[bytes], escape_formulas: bool
) -> None:
    from pyarrow.csv import CSVWriter

    flat = pa.schema([pa.field(field.name, _flat_type(field.type)) for field in schema])
    with CSVWriter(stream, flat) as writer:
        for batch in batches:
            columns = [
                column if column.type == field.type else _as_text(column)
                for column, field in zip(batch.columns, flat, strict=True)
            ]
            if escape_formulas:
                columns = [
                    pc.replace_substring_regex(column, FORMULA, r"'\1")
                    if pa.types.is_string(column.type)
                    else column
                    for column in columns
                ]
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=flat))


def _flat_type(kind: pa.DataType) -> pa.DataType:
    """Text for what has no place in a cell: lists, structures, intervals, bytes."""
    is_flat = is_number(kind) or any(is_kind(kind) for is_kind in FLAT)
    return kind if is_flat and not pa.types.is_interval(kind) else pa.string()


def _as_text(column: pa.Array) -> pa.Array:
    values = column.to_pylist()
    return pa.array([None if value is None else _json(value).decode().strip('"') for value in values], "str")


def _write_parquet(schema: pa.Schema, batches: Iterable[pa.RecordBatch], stream: IO[bytes]) -> None:
    from pyarrow.parquet import ParquetWriter

    with ParquetWriter(stream, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)


def _write_json(
    schema: pa.Schema, batches: Iterable[pa.RecordBatch], stream: IO[bytes], as_lines: bool
) -> None:
    """One object a line, and an array around them unless each is to be read by itself."""
    before, between, after = (b"", b"\n", b"\n") if as_lines else (b"[\n", b",\n", b"\n]\n")
    stream.write(before)
    is_first = True
    for batch in batches:
        for row in batch.to_pylist():
            stream.write((b"" if is_first else between) + _json(row))
            is_first = False
    if not (as_lines and is_first):
        stream.write(after)


def _json(value: Any) -> bytes:
    return msgspec.json.encode(value, enc_hook=str)
