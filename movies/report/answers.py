"""Rows of any table in the format of whoever takes them: a person, a spreadsheet, a program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO, Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from movies.report.answer_formats import Format
from movies.report.grids import Grid

# Of these an object's keys, or a file's columns, are made.
# What spreadsheets compute: https://owasp.org/www-community/attacks/CSV_Injection.
FORMULA = r"^([=+\-@\t\r\n＝＋－＠])"  # noqa: RUF001
UNIQUE_NAMES = {Format.JSON, Format.NDJSON, Format.PARQUET}


class AnswerError(Exception):
    """Rows cannot be written in a format; the text says what would do (exit status 2)."""

    is_usage = True


class Head:
    """The first rows of some batches; `left` counts those that follow, once all batches have been taken."""

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


def write_answer(
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    form: Format,
    stream: IO[bytes],
    most_cells: int | None = None,
    *,
    escape_formulas: bool = False,
) -> None:
    """Write rows, batch by batch where the format allows that.

    With `escape_formulas` a text of CSV that a spreadsheet would compute begins with an apostrophe.

    Raises:
        AnswerError: the format needs every column to have a name of its own.
    """
    twice = {name for name in schema.names if schema.names.count(name) > 1}
    if twice and form in UNIQUE_NAMES:
        raise AnswerError(f"Two columns are called {min(twice)}: for {form}, give one another name, with AS")
    if form is Format.CSV:
        _write_csv(schema, batches, stream, escape_formulas)
    elif form is Format.PARQUET:
        _write_parquet(schema, batches, stream)
    elif form in (Format.JSON, Format.NDJSON):
        _write_json(schema, batches, stream, as_lines=form is Format.NDJSON)
    else:
        grid = grid_of(schema, batches)
        lines = grid.markdown() if form is Format.MARKDOWN else grid.lines(most_cells)
        for line in lines:
            stream.write(f"{line}\n".encode())


def is_figure(kind: pa.DataType) -> bool:
    """Whether a column has numbers, which stand at the right."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def grid_of(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Grid:
    """The rows as cells, all of them in memory."""
    rows = [row for batch in batches for row in _rows(batch)]
    return Grid.of(schema.names, [is_figure(field.type) for field in schema], rows)


def _rows(batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    return zip(*(column.to_pylist() for column in batch.columns), strict=True)


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
    is_flat = is_figure(kind) or any(
        is_kind(kind)
        for is_kind in (
            pa.types.is_string,
            pa.types.is_boolean,
            pa.types.is_date,
            pa.types.is_timestamp,
            pa.types.is_time,
            pa.types.is_null,
        )
    )
    return kind if is_flat else pa.string()


def _as_text(column: pa.Array) -> pa.Array:
    values = column.to_pylist()
    texts = [None if value is None else _json(value).decode().strip('"') for value in values]
    return pa.array(texts, pa.string(), from_pandas=False)


def _write_parquet(schema: pa.Schema, batches: Iterable[pa.RecordBatch], stream: IO[bytes]) -> None:
    from pyarrow.parquet import ParquetWriter

    with ParquetWriter(stream, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)


def _write_json(
    schema: pa.Schema, batches: Iterable[pa.RecordBatch], stream: IO[bytes], as_lines: bool
) -> None:
    """One object a line; in an array where they are not to be lines of their own."""
    before, between, after = (b"", b"\n", b"\n") if as_lines else (b"[\n", b",\n", b"\n]\n")
    stream.write(before)
    is_first = True
    for batch in batches:
        for row in _rows(batch):
            stream.write((b"" if is_first else between) + _json(dict(zip(schema.names, row, strict=True))))
            is_first = False
    if not (as_lines and is_first):
        stream.write(after)


def _json(value: Any) -> bytes:
    return msgspec.json.encode(value, enc_hook=str)
