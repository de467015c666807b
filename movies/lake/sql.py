"""SQL over all tables of a lake, run by DuckDB: read-only, gold at its published version."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from difflib import get_close_matches
from typing import Any, TypeVar

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import DeltaTable, QueryBuilder

from movies.lake.catalogue import Catalogue
from movies.lake.integrity import require_files
from movies.lake.lake_errors import LakeAccessError, LakeError, QueryError, QueryStoppedError
from movies.lake.table import Table
from movies.lake.table_names import layer_of, short_name, sql_name

T = TypeVar("T")

MEMORY = "2GB"
# Keep queries from files, the network and the variables of this program. The order matters.
SETTINGS = f"""
    SET memory_limit = '{MEMORY}';
    SET temp_directory = '';
    SET TimeZone = 'UTC';
    SET default_null_order = 'nulls_last';
    SET python_enable_replacements = false;
    SET autoinstall_known_extensions = false;
    SET autoload_known_extensions = false;
    SET enable_external_access = false;
    SET lock_configuration = true;
"""
BATCH_ROWS = 10_000
MOST_COLUMNS = 12
READING = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}
READ_ONLY = (
    "Queries only read: give a SELECT, an EXPLAIN, or DESCRIBE and a table. `movies show` lists the tables."
)
# Including comments before the keyword.
_EXPLAIN = re.compile(
    r"\A(?:\s|--[^\n]*|/\*.*?\*/)*EXPLAIN\b(?:\s+ANALYZE\b)?(?:\s*\(\s*(?:FORMAT|ANALYZE)[^()]*\))?",
    re.IGNORECASE | re.DOTALL,
)
_NO_COLUMN = re.compile(r'(?:Referenced column|have a column named) "(?P<name>[^"]+)"')
# Names of columns that are keywords of SQL.
_UNQUOTED = re.compile(r'(?<!["\w])(cast|check)\b(?!\s*["(])', re.IGNORECASE)
_LINE = re.compile(r"^LINE (\d+):", re.MULTILINE)


def ask(
    lake_root: str, sql: str, versions: Mapping[str, int] | None = None, seconds: float | None = None
) -> pa.RecordBatchReader:
    """Start a query over tables called `gold.genres`, `"gold/genres"` or `genres`.

    Rows are computed while they are read. `versions` has older versions to read, by such names;
    `seconds` is the time limit.

    Raises:
        QueryError: the query does more than read, or cannot be answered; the text says why.
        QueryStoppedError: the time limit is over.
        TableMissingError: a table of the query has not been made yet.
        LakeError: a table cannot be read. Reading rows may also raise this and the first two.
    """
    return _Query(Catalogue(lake_root), sql, versions or {}, seconds).answer()


class _Rows(ds.InMemoryDataset):  # type: ignore[misc]
    """A table that delta-rs reads again for each scan of a query, only with the columns that it needs.

    DuckDB calls `scanner` of any dataset. Delta's own `to_pyarrow_dataset` reads object stores through a file
    system in Python, and Arrow's threads then sometimes abort the interpreter (deltalake 1.6.6).
    """

    def __init__(self, found: DeltaTable) -> None:
        self.found = found
        self.types = pa.schema(found.schema().to_arrow())
        super().__init__(self.types.empty_table())

    def scanner(self, columns: list[str], filter: ds.Expression = None, **_: object) -> ds.Scanner:
        # An expression does not list its columns, so its text is searched. An extra column does no harm.
        names = [name for name in self.types.names if name in columns or name in str(filter)]
        selected = ", ".join(f'"{name}"' for name in names)
        rows = QueryBuilder().register("t", self.found).execute(f"SELECT {selected} FROM t")
        types = pa.schema([self.types.field(name) for name in names])
        # The library returns view types, which Arrow cannot compare.
        reader = pa.RecordBatchReader.from_stream(rows).cast(types)
        return ds.Scanner.from_batches(reader, columns=columns, filter=filter)


class _Query:
    def __init__(
        self, catalogue: Catalogue, sql: str, versions: Mapping[str, int], seconds: float | None
    ) -> None:
        self._sql, self._catalogue, self._seconds = sql, catalogue, seconds
        self._versions = {catalogue.find(name).name: version for name, version in versions.items()}
        self._began = time.monotonic()
        self._columns: list[str] = []
        self._connection = duckdb.connect()
        self._connection.execute(SETTINGS)
        self._thread = ThreadPoolExecutor(1)

    def answer(self) -> pa.RecordBatchReader:
        statement = self._statement()
        tables = map(self._catalogue.find, self._table_names(statement))
        for table in {table.name: table for table in tables}.values():
            self._register(table)
        reader = self._run(lambda: self._connection.execute(statement).to_arrow_reader(BATCH_ROWS))
        schema = pa.schema([pa.field(field.name, _plain(field.type)) for field in reader.schema])
        return pa.RecordBatchReader.from_batches(schema, self._batches(reader, schema))

    def _statement(self) -> duckdb.Statement:
        try:
            statements = duckdb.extract_statements(self._sql)
        except duckdb.Error as error:
            raise self._explain(str(error)) from error
        if not statements:
            raise QueryError("The query is empty. Give a SELECT.")
        if len(statements) > 1:
            raise QueryError("There are several statements. Give one query at a time.")
        [statement] = statements
        if statement.type not in READING:
            raise QueryError(f"{statement.type.name} is not allowed. {READ_ONLY}")
        return statement

    def _table_names(self, statement: duckdb.Statement) -> Iterator[str]:
        """Yield the names of the tables in the query, or in the query that it explains."""
        query = _EXPLAIN.sub("", statement.query, count=1)
        [(text,)] = self._connection.execute("SELECT json_serialize_sql(?)", [query]).fetchall()
        nodes: list[dict[str, Any]] = []

        def keep(node: dict[str, Any]) -> dict[str, Any]:
            nodes.append(node)
            return node

        json.loads(text, object_hook=keep)
        # The outermost node is the last.
        if nodes[-1]["error"] or any("show_type" in node and not node["query"] for node in nodes):
            raise QueryError(f"This is not a query. {READ_ONLY}")
        named = {entry["key"] for node in nodes for entry in node.get("cte_map", {}).get("map", ())}
        for node in nodes:
            if node.get("type") == "BASE_TABLE" and (node["schema_name"] or node["table_name"] not in named):
                yield f"{node['schema_name']}.{node['table_name']}".lstrip(".")

    def _register(self, table: Table) -> None:
        """Let the query call a table by each of its names."""
        entry = self._catalogue.open(table, self._versions.get(table.name))
        require_files(table, entry.found)
        rows = _Rows(entry.found)
        self._columns += rows.types.names
        self._connection.register(table.name, rows)
        self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {layer_of(table)}")
        for name in (sql_name(table), *{short_name(table)}.intersection(self._catalogue.short_names)):
            self._connection.execute(f'CREATE VIEW {name} AS FROM "{table.name}"')

    def _batches(self, reader: pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        while (batch := self._run(lambda: next(reader, None))) is not None:
            try:
                yield batch.cast(schema)
            except pa.ArrowInvalid as error:
                raise self._explain(str(error)) from error

    def _run(self, work: Callable[[], T]) -> T:
        """Do a part of the work in a thread, which is interrupted on Ctrl-C or when the time is over."""
        future = self._thread.submit(work)
        left = None if self._seconds is None else self._began + self._seconds - time.monotonic()
        try:
            return future.result(left)
        except TimeoutError:
            raise QueryStoppedError(
                f"The query has taken longer than {self._seconds:g} s. Raise --timeout, or ask for less."
            ) from None
        except (duckdb.Error, OSError, pa.ArrowException) as error:
            raise self._explain(str(error)) from error
        finally:
            # Repeated, because an interrupt has no effect before the query has started.
            while not future.done():
                self._connection.interrupt()
                wait([future], 0.1)

    def _explain(self, text: str) -> LakeError:
        """Convert an error text of several lines from DuckDB to one sentence."""
        line = f" (line {found[1]})" if (found := _LINE.search(text)) else ""
        kind, _, problem = text.partition("\n")[0].rstrip("!.").partition(" Error: ")
        if found := _NO_COLUMN.search(text):
            return QueryError(_describe_column(found["name"], self._sql, self._columns))
        if kind == "Parser":
            found = _UNQUOTED.search(self._sql)
            advice = f'; the column "{found[1]}" needs its quotes' if found else ""
            return QueryError(f"The query is not SQL: {problem}{line}{advice}.")
        if kind == "Out of Memory":
            return QueryError(f"The query needs more than {MEMORY} of memory. Ask for fewer rows or columns.")
        if "get_next failed" in text:
            return LakeAccessError(
                f"{self._catalogue.lake_root} cannot be read: {' '.join(text.split())[:300]}"
            )
        return QueryError(f"The query cannot be answered: {problem or kind}{line}.")


def _describe_column(name: str, sql: str, columns: Sequence[str]) -> str:
    """Describe that there is no such column, and suggest others."""
    if f'"{name}"' in sql:
        return f"There is no column {name}. Text has single quotes: '{name}'."
    near = get_close_matches(name.lower(), columns, 1) or list(dict.fromkeys(columns))[:MOST_COLUMNS]
    return f"There is no column {name}. Did you mean {', '.join(near) or 'one of a table after FROM'}?"


def _plain(kind: pa.DataType) -> Any:
    """Replace a column's type that few programs can read."""
    if pa.types.is_dictionary(kind):
        return kind.value_type
    # DuckDB's sums of whole numbers.
    return pa.int64() if kind == pa.decimal128(38, 0) else kind
