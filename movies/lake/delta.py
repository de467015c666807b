"""Opening, creating and querying Delta tables through delta-rs."""

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
from movies.lake.errors import LakeAccessError, SchemaMismatchError, VersionGoneError, access
from movies.lake.table import Table, open_store

logger = logging.getLogger(__name__)

T = TypeVar("T")

# A commit that meets another's is tried again on what that one has left.
ATTEMPTS = 10
# Commits that move rows between files, or remove files nobody needs, and change no row.
UPKEEP_OPERATIONS = {"OPTIMIZE", "VACUUM START", "VACUUM END", "SET TBLPROPERTIES"}
# What the metadata of a commit has that only moves a cursor (`lake.cursor`).
NO_ROWS = "no_rows"


@dataclass(frozen=True)
class TableVersion:
    """Which content a table has: a table that was deleted and made again has another id."""

    table_id: str
    version: int


def create(table: Table, lake_root: str) -> DeltaTable:
    """Open the table, creating it with nullable columns where it is missing, and those it lacks.

    Raises:
        SchemaMismatchError: it has a column that is not declared, or is of another type.
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
                configuration=statistics if table.statistics_on else None,
                # Tried again after another run's CREATE TABLE, it would make the table anew on top of it.
                commit_properties=CommitProperties(max_commit_retries=0),
            )
        except (OSError, DeltaError):
            if not DeltaTable.is_deltatable(path):
                raise
            found = DeltaTable(path)
    return _migrate(found, table, path)


def delta_schema(table: Table) -> Schema:
    """The declared columns, every one of them nullable."""
    return Schema([Field(name, PrimitiveType(kind), nullable=True) for name, kind in table.columns.items()])


def _migrate(found: DeltaTable, table: Table, path: str) -> DeltaTable:
    """Add the columns that the table lacks, null in the rows it has; nothing else about a table changes.

    Optional columns come and go with the commit that has their values (`lake.files.adopt_files`).
    """
    with access("written", path):
        return insist(found, lambda: _add_lacking(found, table, path))


def _add_lacking(found: DeltaTable, table: Table, path: str) -> DeltaTable:
    columns = {field.name: field.type.type for field in found.schema().fields}
    known = {**table.optional, **table.columns}
    if any(known.get(name) != kind for name, kind in columns.items()):
        raise SchemaMismatchError(
            f"{path} has the columns {columns}, but this version works with {dict(table.columns)}"
        )
    lacking = [
        Field(name, PrimitiveType(kind))
        for name, kind in table.columns.items()
        if name not in columns and name not in table.optional
    ]
    if lacking:
        found.alter.add_columns(lacking)
        logger.info("%s has new columns: %s", table.name, ", ".join(field.name for field in lacking))
    return found


def open_table(table: Table, lake_root: str, version: int | None = None) -> DeltaTable | None:
    """Open the table, at a version where one is given; None where there is no such table."""
    path = table.path(lake_root)
    with access("read", path):
        if not DeltaTable.is_deltatable(path):
            return None
        return DeltaTable(path, version=version)


def require_version(table: Table, lake_root: str, version: int) -> None:
    """Prove that the table can be read as it was.

    Raises:
        VersionGoneError: it has no such version, or upkeep has deleted files of it.
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
    """The newest version that changed a row: compaction and vacuum change the version, not the content.

    It is of the version that the table is open at, whatever others have committed since.
    """
    version = int(found.version())
    with access("read", found.table_uri):
        for number, commit in _commits_before(found):
            if commit.get("operation") not in UPKEEP_OPERATIONS and NO_ROWS not in commit:
                version = number
                break
    return TableVersion(str(found.metadata().id), version)


def _commits_before(found: DeltaTable) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """What each commit says of itself, back from the version that a table is open at.

    Read from the log's files: `history` begins with the newest commit, and misnumbers all if that is later.
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
    """Where a table's rows come from, as the commit says that made them; empty where none says anything."""
    # Not of a table that is open at the version: its history would have the newest commits, misnumbered.
    newest = open_table(table, lake_root)
    return {} if newest is None else origin_of_commit(newest, version)


def origin_of_commit(newest: DeltaTable, version: int | None = None) -> Mapping[str, str]:
    """The same of a table that is open at its newest version."""
    with access("read", newest.table_uri):
        for commit in newest.history():
            if version is None or commit["version"] <= version:
                told = {name: str(value) for name, value in commit.items() if _is_origin(name)}
                if told or commit["operation"] not in UPKEEP_OPERATIONS:
                    return told
    return {}


def _is_origin(name: str) -> bool:
    return name.endswith("_version") or name == "run_id"


def current_version(table: Table, lake_root: str) -> TableVersion | None:
    """Which version a table has now, whatever its last commit did; None where there is no such table."""
    found = open_table(table, lake_root)
    return None if found is None else TableVersion(str(found.metadata().id), found.version())


def version_to_read(found: DeltaTable, content: TableVersion) -> int:
    """The version to read some content at: the newest that has it, since vacuum may empty older ones."""
    return int(found.version()) if content_version(found) == content else content.version


def query(found: DeltaTable, sql: str, **others: DeltaTable) -> pa.Table:
    """Run SQL over a table, which it calls `t`, and others by name; only the columns it names are read."""
    with access("read", found.table_uri):
        try:
            # `pa.table` would look for a data frame first, and load pandas for that.
            builder = QueryBuilder()
            for name, table in {"t": found, **others}.items():
                builder = builder.register(name, table)
            rows = builder.execute(sql)
            return pa.RecordBatchReader.from_stream(rows).read_all()
        except Exception as error:  # the query engine has no exceptions of its own
            raise DeltaError(str(error)) from error


def read(table: Table, lake_root: str, version: int | None = None) -> pa.Table | None:
    """Load a whole small table in its declared column order; None where there is none."""
    found = open_table(table, lake_root, version)
    columns = ", ".join(f'"{name}"' for name in table.columns)
    if found is None:
        return None
    # The query engine answers with view types, which not all of Arrow's functions take.
    return query(found, f"SELECT {columns} FROM t").cast(arrow_schema(table))


def insist(found: DeltaTable, commit: Callable[[], T]) -> T:
    """Commit, and where another's commit came in between, try again on what that one has left.

    Whatever the commit goes by has to be read anew each time. Its own retries, delta-rs', are to be off: they
    commit what was made from an earlier version.

    Raises:
        CommitFailedError: others commit to the table all the time.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return commit()
        except CommitFailedError:
            found.update_incremental()
    return commit()
