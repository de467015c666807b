"""Opening, creating and querying Delta tables through delta-rs."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Field, QueryBuilder, Schema
from deltalake.exceptions import DeltaError
from deltalake.schema import PrimitiveType

from lake.arrow import arrow_schema
from lake.errors import SchemaMismatchError, access
from lake.tables import Table

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
    """Open the table, creating it with nullable columns where it is missing.

    Raises:
        SchemaMismatchError: it is there with other columns.
        LakeAccessError: the place cannot be written.
    """
    fields = [Field(name, PrimitiveType(kind), nullable=True) for name, kind in table.columns.items()]
    path = table.path(lake_root)
    statistics = {"delta.dataSkippingStatsColumns": ",".join(table.statistics_on)}
    with access("written", path):
        try:
            found = DeltaTable.create(
                path,
                Schema(fields),
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
    columns = [(field.name, field.type.type) for field in found.schema().fields]
    if columns != list(table.columns.items()):
        raise SchemaMismatchError(
            f"{path} has the columns {dict(columns)}, but this version works with {dict(table.columns)}"
        )
    return found


def open_table(table: Table, lake_root: str, version: int | None = None) -> DeltaTable | None:
    """Open the table, at a version where one is given; None where there is no such table."""
    path = table.path(lake_root)
    with access("read", path):
        if not DeltaTable.is_deltatable(path):
            return None
        return DeltaTable(path, version=version)


def content_version(found: DeltaTable) -> TableVersion:
    """The newest version that changed a row: compaction and vacuum change the version, not the content."""
    version = found.version()
    with access("read", found.table_uri):
        for commit in found.history(limit=100):
            if commit["operation"] not in UPKEEP_OPERATIONS and NO_ROWS not in commit:
                version = int(commit["version"])
                break
    return TableVersion(str(found.metadata().id), version)


def current_version(table: Table, lake_root: str) -> TableVersion | None:
    """Which version a table has now, whatever its last commit did; None where there is no such table."""
    found = open_table(table, lake_root)
    return None if found is None else TableVersion(str(found.metadata().id), found.version())


def version_to_read(found: DeltaTable, content: TableVersion) -> int:
    """The version to read some content at: the newest that has it, since vacuum may empty older ones."""
    return int(found.version()) if content_version(found) == content else content.version


def query(found: DeltaTable, sql: str) -> pa.Table:
    """Run SQL over one table, which the statement calls `t`, without loading other columns than it names."""
    with access("read", found.table_uri):
        try:
            # `pa.table` would look for a data frame first, and load pandas for that.
            rows = QueryBuilder().register("t", found).execute(sql)
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
