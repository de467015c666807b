"""Open, create and query Delta tables through delta-rs."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Field, QueryBuilder, Schema
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.schema import PrimitiveType

from movies.lake.arrow import arrow_schema
from movies.lake.lake_errors import LakeAccessError, SchemaMismatchError, VersionGoneError, access
from movies.lake.table import Column, Table, open_store

logger = logging.getLogger(__name__)

T = TypeVar("T")

# How often a commit is tried if other writers commit in between.
ATTEMPTS = 10
# Commits that move rows between files or remove unused files, and change no row.
UPKEEP_OPERATIONS = {"OPTIMIZE", "VACUUM START", "VACUUM END", "SET TBLPROPERTIES"}
# Key in the metadata of commits that only move a cursor (`lake.cursor`) or write meanings.
NO_ROWS = "no_rows"
COMMENT = "comment"


@dataclass(frozen=True)
class TableVersion:
    """Identifies the content of a table; a table that was deleted and recreated has another id."""

    table_id: str
    version: int


class LakeView:
    """A run's view of a lake: each table is opened once, even if many functions read it.

    A table stays at the version at which it was opened until `refresh` or `forget` is called.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self._tables: dict[str, DeltaTable | None] = {}
        self._known: dict[object, Any] = {}

    def open(self, table: Table) -> DeltaTable | None:
        """Return the table, or None if there is no such table."""
        if table.name not in self._tables:
            self._tables[table.name] = open_table(table, self.root)
        return self._tables[table.name]

    def know(self, about: object, find: Callable[[], T]) -> T:
        """Return a cached value, and compute it the first time; any change of a table clears the cache."""
        if about not in self._known:
            self._known[about] = find()
        found: T = self._known[about]
        return found

    def refresh(self, *tables: Table) -> None:
        """Load new commits of these tables, and look again for tables that were missing."""
        for table in tables:
            found = self._tables.get(table.name)
            if found is None:
                self._tables.pop(table.name, None)
                continue
            before = found.version()
            with access("read", found.table_uri):
                found.update_incremental()
            if found.version() != before:
                self._known.clear()

    def forget(self) -> None:
        """Forget all open tables; call it after this run has written some."""
        self._tables.clear()
        self._known.clear()


# A lake to read from: its root, or a run's view of it.
Lake = str | LakeView


def root_of(lake: Lake) -> str:
    """Return the root of a lake."""
    return lake.root if isinstance(lake, LakeView) else lake


def create(table: Table, lake_root: str) -> DeltaTable:
    """Open the table. Create it or its missing columns, all nullable, and update meanings.

    Raises:
        SchemaMismatchError: the table has a column that is not declared, or that has another type.
        LakeAccessError: the place cannot be written.
    """
    path = table.path(lake_root)
    statistics = {"delta.dataSkippingStatsColumns": ",".join(table.statistics_on)}
    with access("written", path):
        try:
            found = DeltaTable.create(
                path,
                delta_schema(table),
                mode="ignore",
                partition_by=list(table.partition_by) or None,
                description=table.meaning,
                configuration=statistics if table.statistics_on else None,
                # A retry after another run's CREATE TABLE would create the table once more on top of it.
                commit_properties=CommitProperties(max_commit_retries=0),
            )
        except (OSError, DeltaError):
            if not DeltaTable.is_deltatable(path):
                raise
            found = DeltaTable(path)
    return _migrate(found, table, path)


def delta_schema(table: Table) -> Schema:
    """Return the declared columns, all nullable, each with its meaning as the comment."""
    return Schema([_field(name, column) for name, column in table.columns.items()])


def _field(name: str, column: Column) -> Field:
    return Field(name, PrimitiveType(column.type), nullable=True, metadata={COMMENT: column.meaning})


def _migrate(found: DeltaTable, table: Table, path: str) -> DeltaTable:
    """Add missing columns, which are null in existing rows, and update meanings; change no row.

    Optional columns come and go with the commit that has their values (`lake.files.adopt_files`).
    """
    with access("written", path):
        return insist(found, lambda: _add_missing(found, table, path))


def _add_missing(found: DeltaTable, table: Table, path: str) -> DeltaTable:
    types = {field.name: field.type.type for field in found.schema().fields}
    known = {name: column.type for name, column in {**table.optional, **table.columns}.items()}
    if any(known.get(name) != kind for name, kind in types.items()):
        declared = {name: known[name] for name in table.columns}
        raise SchemaMismatchError(f"{path} has the columns {types}, but this version works with {declared}")
    missing = [
        _field(name, column)
        for name, column in table.columns.items()
        if name not in types and name not in table.optional
    ]
    if missing:
        found.alter.add_columns(missing)
        logger.info("%s has new columns: %s", table.name, ", ".join(field.name for field in missing))
    renew_meanings(found, table)
    return found


def renew_meanings(found: DeltaTable, table: Table) -> None:
    """Commit the declared meanings, of the table and of its columns, if they differ; change no row."""
    known = {**table.optional, **table.columns}
    comments = {
        field.name: field.metadata.get(COMMENT) for field in found.schema().fields if field.name in known
    }
    properties = CommitProperties(custom_metadata={NO_ROWS: COMMENT}, max_commit_retries=0)
    missing = [_field(name, known[name]) for name, comment in comments.items() if comment is None]
    if missing:
        # Adding an existing column adds its missing metadata, for all columns in one commit.
        found.alter.add_columns(missing, commit_properties=properties)
    for name, comment in comments.items():
        if comment not in (None, known[name].meaning):
            metadata = {COMMENT: known[name].meaning}
            found.alter.set_column_metadata(name, metadata, commit_properties=properties)
    if found.metadata().description != table.meaning:
        found.alter.set_table_description(table.meaning, commit_properties=properties)


def declared_in(found: DeltaTable, name: str) -> Table:
    """Return a table's declaration from its own log, which has the meanings."""
    columns = {
        field.name: Column(field.type.type, field.metadata.get(COMMENT, "-"))
        for field in found.schema().fields
    }
    return Table(name, found.metadata().description or "-", columns)


def open_table(table: Table, lake: Lake, version: int | None = None) -> DeltaTable | None:
    """Open the table at a version, by default the newest; return None if there is no such table.

    If `lake` is a view, callers share its table and must not load another version of it.
    """
    if isinstance(lake, LakeView) and version is None:
        return lake.open(table)
    path = table.path(root_of(lake))
    with access("read", path):
        if not DeltaTable.is_deltatable(path):
            return None
        return DeltaTable(path, version=version)


def require_version(table: Table, lake_root: str, version: int) -> None:
    """Check that an older version of the table can be read.

    Raises:
        VersionGoneError: there is no such version, or upkeep has deleted files of it.
    """
    newest = open_table(table, lake_root)
    if newest is None or version > newest.version():
        known = "it is not there" if newest is None else f"its newest is {newest.version()}"
        raise VersionGoneError(f"{table.name} has no version {version}: {known}")
    try:
        found = DeltaTable(table.path(lake_root), version=version)
        query(found, f'SELECT count("{next(iter(table.columns))}") FROM t')
    except (DeltaError, OSError, LakeAccessError) as error:
        raise VersionGoneError(
            f"Version {version} of {table.name} cannot be read any more: upkeep deletes files that "
            "newer ones have replaced, after its retention"
        ) from error


def content_version(found: DeltaTable) -> TableVersion:
    """Return the newest version that changed a row; compaction and vacuum change only the version.

    It goes by the version at which the table is open, not by later commits of other writers.
    """
    version = int(found.version())
    with access("read", found.table_uri):
        for number, commit in _commits_before(found):
            if changes_rows(commit):
                version = number
                break
    return TableVersion(str(found.metadata().id), version)


def changes_rows(commit: Mapping[str, Any]) -> bool:
    """Return whether a commit may have changed a row, according to its metadata."""
    return commit.get("operation") not in UPKEEP_OPERATIONS and NO_ROWS not in commit


def _commits_before(found: DeltaTable) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield version and metadata of each commit, back from the version at which a table is open.

    They are read from the log's files, because `history` gives wrong numbers if there are later commits.
    """
    files = open_store(found.table_uri)
    for number in range(int(found.version()), max(-1, int(found.version()) - 100), -1):
        try:
            log = files.get(f"_delta_log/{number:020}.json").bytes()
        except FileNotFoundError:
            return  # upkeep has dropped it, and those before
        actions = map(json.loads, bytes(log).splitlines())
        yield number, next((action["commitInfo"] for action in actions if "commitInfo" in action), {})


def origin_of(table: Table, lake_root: str, version: int | None = None) -> Mapping[str, str]:
    """Return what a table's rows were made from, as their commit records it; empty if it does not."""
    # A table that is open at the version would number the newest commits wrongly.
    newest = open_table(table, lake_root)
    return {} if newest is None else origin_of_commit(newest, version)


def origin_of_commit(newest: DeltaTable, version: int | None = None) -> Mapping[str, str]:
    """Return the same as `origin_of` for a table that is open at its newest version."""
    with access("read", newest.table_uri):
        for commit in newest.history():
            if version is None or commit["version"] <= version:
                origin = {name: str(value) for name, value in commit.items() if _is_origin(name)}
                if origin or changes_rows(commit):
                    return origin
    return {}


def _is_origin(name: str) -> bool:
    return name.endswith("_version") or name == "run_id"


def current_version(table: Table, lake: Lake) -> TableVersion | None:
    """Return the newest version of a table, even if it changed no row; None if there is no table."""
    found = open_table(table, lake)
    return None if found is None else TableVersion(str(found.metadata().id), found.version())


def version_to_read(found: DeltaTable, content: TableVersion) -> int:
    """Return the newest version with this content, because vacuum may delete files of older ones."""
    return int(found.version()) if content_version(found) == content else content.version


def query(found: DeltaTable, sql: str, **others: DeltaTable) -> pa.Table:
    """Run SQL over a table, called `t`, and others by name; only the columns that it names are read."""
    with access("read", found.table_uri):
        try:
            # `pa.table` would load pandas to look for a data frame.
            builder = QueryBuilder()
            for name, table in {"t": found, **others}.items():
                builder = builder.register(name, table)
            rows = builder.execute(sql)
            return pa.RecordBatchReader.from_stream(rows).read_all()
        except Exception as error:  # the query engine has no exceptions of its own
            raise DeltaError(str(error)) from error


def read(table: Table, lake: Lake, version: int | None = None) -> pa.Table | None:
    """Load a whole small table in its declared column order; return None if there is no table."""
    found = open_table(table, lake, version)
    columns = ", ".join(f'"{name}"' for name in table.columns)
    if found is None:
        return None
    # The query engine returns view types, which not all of Arrow's functions accept.
    return query(found, f"SELECT {columns} FROM t").cast(arrow_schema(table))


def insist(found: DeltaTable, commit: Callable[[], T]) -> T:
    """Commit; if another commit came in between, load it and try again.

    `commit` must read its input again each time. Switch delta-rs' own retries off, because they would commit
    rows that were made from an earlier version.

    Raises:
        CommitFailedError: another commit came in between at every try.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return commit()
        except CommitFailedError:
            found.update_incremental()
    return commit()
