"""SQL over all tables of a lake: read-only, gold as it is published."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
from deltalake import QueryBuilder

from movies.lake.all_tables import TABLES
from movies.lake.catalogue import Catalogue, Entry
from movies.lake.delta import query
from movies.lake.errors import LakeAccessError, LakeError, QueryError
from movies.lake.integrity import require_files
from movies.lake.names import SHORT_NAMES, layer_of, short_name, sql_name
from movies.lake.query_errors import explain, is_about_storage, name_not_found
from movies.lake.statements import require_reading


@dataclass(frozen=True)
class Answer:
    """The rows of a query as they come, batch by batch; they can be read once."""

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]

    def read_all(self) -> pa.Table:
        """All rows at once."""
        return pa.Table.from_batches(list(self.batches), self.schema)


def ask(lake_root: str, sql: str) -> Answer:
    """Begin to answer a query over tables called `gold.genres`, `"gold/genres"` or `genres`.

    Only the columns that it needs are read, when the rows are taken.

    Raises:
        QueryError: it does more than read, or cannot be answered; the text says what is wrong with it.
        TableMissingError: a table that it names is not there yet.
        LakeError: a table cannot be read. While rows are taken, this or `QueryError` may be raised, too.
    """
    return _Asker(lake_root).ask(require_reading(sql))


def ask_table(entry: Entry, most_rows: int) -> Answer:
    """The first rows of a table as it lies, with all columns.

    Raises:
        LakeError: it cannot be read.
    """
    require_files(entry.table, entry.found)
    rows = query(entry.found, f"SELECT * FROM t LIMIT {most_rows}")
    schema = plain_schema(rows.schema)
    return Answer(schema, iter(rows.cast(schema, safe=False).to_batches()))


class _Asker:
    def __init__(self, lake_root: str) -> None:
        self._catalogue = Catalogue(lake_root)
        self._lake_root = lake_root
        self._closed: dict[str, LakeError] = {}

    def ask(self, sql: str) -> Answer:
        try:
            stream = self._builder(sql).execute(sql)
        except Exception as error:  # the query engine has no exceptions of its own
            raise self._translate(error) from error
        reader = pa.RecordBatchReader.from_stream(stream)
        schema = plain_schema(reader.schema)
        if not schema.names:
            raise QueryError("The query has no columns: SELECT … INTO keeps nothing here")
        return Answer(schema, self._batches(reader, schema))

    def _builder(self, sql: str) -> QueryBuilder:
        builder = QueryBuilder()
        # As SQL has it: names without quotes are the same in capitals.
        builder.execute("SET datafusion.sql_parser.enable_ident_normalization = true")
        for layer in sorted({layer_of(table) for table in TABLES}):
            # Made at once, and reading nothing: a name like gold.genres needs its schema.
            builder.execute(f"CREATE SCHEMA {layer}")
        for entry in self._mentioned(sql):
            names = [sql_name(entry.table), f'"{entry.table.name}"']
            if short_name(entry.table) in SHORT_NAMES:
                names.append(short_name(entry.table))
            for name in names:
                builder = builder.register(name, entry.found)
        return builder

    def _mentioned(self, sql: str) -> Iterator[Entry]:
        """The tables whose names are in the text; a column may have the name of one that is not meant."""
        words = set(re.findall(r"\w+", sql.lower()))
        for table in TABLES:
            if short_name(table) in words:
                try:
                    entry = self._catalogue.open(table)
                    require_files(table, entry.found)
                    yield entry
                except LakeError as error:
                    self._closed[sql_name(table)] = error

    def _batches(self, reader: pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        try:
            for batch in reader:
                yield batch.cast(schema, safe=False)
        except Exception as error:
            raise self._translate(error) from error

    def _translate(self, error: Exception) -> LakeError:
        text = str(error)
        if is_about_storage(text):
            cause = " ".join(text.split())[:300]
            return LakeAccessError(f"{self._lake_root} cannot be read: {cause}")
        name = name_not_found(text)
        return self._closed.get(name) or explain(text)


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """The columns in types that all of Arrow's functions take."""
    return pa.schema([pa.field(field.name, plain_type(field.type)) for field in schema])


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type that Arrow's functions take in the place of a view, of nanoseconds or of a dictionary."""
    if pa.types.is_string_view(kind) or pa.types.is_large_string(kind):
        return pa.string()
    if pa.types.is_binary_view(kind):
        return pa.binary()
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        # Python has no nanoseconds.
        return pa.timestamp("us", kind.tz)
    if pa.types.is_dictionary(kind):
        return plain_type(kind.value_type)
    if pa.types.is_list(kind):
        return pa.list_(plain_type(kind.value_type))
    return kind
