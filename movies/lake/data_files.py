"""Data files of a table: adopt files that an engine wrote, and rewrite files whose rows change.

Engines differ in the commit metadata that they store, so they only write files. This module commits them,
once for each change of a table, and records in the commit where the rows come from.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import PurePosixPath

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable
from deltalake.fs import DeltaStorageHandler
from deltalake.transaction import AddAction, RemoveAction
from pyarrow.fs import FileSelector, FileSystem, LocalFileSystem, PyFileSystem, SubTreeFileSystem

from movies.lake.arrow import arrow_schema
from movies.lake.delta import TableVersion, content_version, create, delta_schema, insist
from movies.lake.lake_errors import FilesMissingError, OvertakenError, SchemaMismatchError, access
from movies.lake.table import Table, local_folder

# Reading and compression release Python's global lock.
FILES_AT_ONCE = 4

Partition = tuple[tuple[str, str], ...]
Actions = list[AddAction | RemoveAction]


@dataclass(frozen=True)
class DataFile:
    """A data file of a version of a table."""

    path: str
    size: int


def new_folder(table: Table, lake_root: str) -> str:
    """Name a folder for an engine's files below the table; upkeep deletes files that are never adopted."""
    return f"{table.path(lake_root)}/written-{uuid.uuid4().hex}"


def adopt_files(
    table: Table, lake_root: str, folder: str, rows: int, origin: Mapping[str, str]
) -> TableVersion:
    """Make the Parquet files of a folder the table's whole content in one commit; `rows` is their row count.

    Raises:
        FilesMissingError: the row count differs, for example because the engine wrote to another disk.
        SchemaMismatchError: the columns of a file differ from those of the table.
        LakeAccessError: the table stays as it was.
    """
    found = create(table, lake_root)
    with access("written", found.table_uri):
        files = file_system(found)
        below = FileSelector(
            folder.removeprefix(f"{table.path(lake_root)}/"), recursive=True, allow_not_found=True
        )
        paths = [info.path for info in files.get_file_info(below) if info.is_file and _is_data(info.path)]
        with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
            added = list(pool.map(lambda path: describe_file(table, files, path), paths))
        if (found_rows := sum(json.loads(file.stats)["numRecords"] for file in added)) != rows:
            raise FilesMissingError(
                f"The engine has written {rows:,} rows to {folder}, and {found_rows:,} are there. "
                "It must reach the lake by the same path or URL as this process."
            )
        insist(found, lambda: commit_files(found, table, added, "overwrite", origin))
    return content_version(found)


def replace_rows(
    table: Table,
    lake_root: str,
    keys: pa.Array,
    rows: pa.Table,
    origin: Mapping[str, str],
    content: TableVersion | None = None,
) -> TableVersion:
    """Replace the rows whose first column has one of the keys by other rows, in one commit.

    Only files with such a row are rewritten; nothing is committed if there are no changes. A compaction in
    between does no harm. `content` is the content that the rows were made for.

    Raises:
        OvertakenError: the table no longer has that content; it stays as it was.
        LakeAccessError: the table stays as it was, or others commit to it all the time.
    """
    found = create(table, lake_root)
    with access("written", found.table_uri):

        def rewrite() -> None:
            if content is not None and content_version(found) != content:
                raise OvertakenError(f"{table.name} has been changed by another run meanwhile. Run again.")
            if actions := _rewrite(found, table, keys, rows):
                commit_files(found, table, actions, "append", origin)

        insist(found, rewrite)
    return content_version(found)


def _rewrite(found: DeltaTable, table: Table, keys: pa.Array, rows: pa.Table) -> Actions:
    """Write the new files and return the actions that replace those with one of the keys, to be committed."""
    files = file_system(found)
    old, new = _files_by_partition(found, table), _rows_by_partition(table, rows)

    def rewrite(partition: Partition) -> Actions:
        kept: list[pa.Table] = [new[partition]] if partition in new else []
        actions: Actions = []
        for file in old.get(partition, []):
            others = _rows_without(files, file.path, table, keys)
            if others is not None:
                kept.append(others)
                actions.append(RemoveAction(file.path, True, _now_ms(), file.size, dict(partition)))
        content = pa.concat_tables(kept) if kept else None
        if content is not None and content.num_rows:
            folders = [f"{name}={value}" for name, value in partition]
            path = "/".join([*folders, f"part-{uuid.uuid4().hex}.zstd.parquet"])
            if folders:
                files.create_dir("/".join(folders), recursive=True)
            pq.write_table(
                content,
                path,
                filesystem=files,
                compression="zstd",
                write_statistics=[next(iter(table.columns))],
            )
            actions.append(describe_file(table, files, path))
        return actions

    with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
        return [action for actions in pool.map(rewrite, sorted({*old, *new})) for action in actions]


def _rows_without(files: FileSystem, path: str, table: Table, keys: pa.Array) -> pa.Table | None:
    """Return a file's rows without those with one of the keys, or None if it has no such row."""
    with files.open_input_file(path) as source:
        parquet = pq.ParquetFile(source)
        key = next(iter(table.columns))
        is_key = pc.is_in(parquet.read([key], use_threads=False).column(0), value_set=keys)
        if not pc.any(is_key).as_py():
            return None
        rows = parquet.read(use_threads=False).filter(pc.invert(is_key))
    return _conform(rows, table)


def _conform(rows: pa.Table, table: Table) -> pa.Table:
    """Return a file's rows with the table's present columns, except partition columns, which files lack."""
    schema = pa.schema([field for field in arrow_schema(table) if field.name not in table.partition_by])
    columns = [
        rows.column(field.name).cast(field.type)
        if field.name in rows.column_names
        else pa.nulls(rows.num_rows, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _files_by_partition(found: DeltaTable, table: Table) -> dict[Partition, list[DataFile]]:
    old: dict[Partition, list[DataFile]] = {}
    for action in _add_actions(found).to_pylist():
        partition = tuple((name, str(action[f"partition.{name}"])) for name in table.partition_by)
        old.setdefault(partition, []).append(DataFile(action["path"], action["size_bytes"]))
    return old


def _rows_by_partition(table: Table, rows: pa.Table) -> dict[Partition, pa.Table]:
    if not table.partition_by:
        return {(): _conform(rows, table)} if rows.num_rows else {}
    (column,) = table.partition_by
    values = rows.column(column)
    return {
        ((column, str(value)),): _conform(rows.filter(pc.equal(values, value)), table)
        for value in values.unique().to_pylist()
    }


def data_paths(found: DeltaTable) -> set[str]:
    """Return the paths of a version's files, relative to the table's folder."""
    return set(_add_actions(found).column("path").to_pylist())


def _add_actions(found: DeltaTable) -> pa.Table:
    return pa.RecordBatchReader.from_stream(found.get_add_actions(flatten=True)).read_all()


def read_columns(table: Table, found: DeltaTable, paths: Iterable[str], columns: Sequence[str]) -> pa.Table:
    """Read columns of some of a table's files in their declared types.

    Raises:
        LakeAccessError: a file no longer exists.
    """
    files, declared = file_system(found), arrow_schema(table)
    schema = pa.schema([declared.field(name) for name in columns])

    def read(path: str) -> pa.Table:
        with files.open_input_file(path) as source:
            return pq.ParquetFile(source).read(columns, use_threads=False).select(columns).cast(schema)

    with access("read", found.table_uri), ThreadPoolExecutor(FILES_AT_ONCE) as pool:
        return pa.concat_tables([schema.empty_table(), *pool.map(read, sorted(paths))])


def _is_data(path: str) -> bool:
    name = PurePosixPath(path).name
    return name.endswith(".parquet") and not name.startswith((".", "_"))


def describe_file(table: Table, files: FileSystem, path: str) -> AddAction:
    """Build the log entry of a file from the file's footer."""
    with files.open_input_file(path) as source:
        size, footer = source.size(), pq.ParquetFile(source).metadata
    names = [footer.schema.column(place).name for place in range(footer.num_columns)]
    declared = [name for name in table.columns if name not in table.partition_by]
    if names != declared:
        raise SchemaMismatchError(f"{path} has the columns {names}, but {table.name} has {declared}")
    folders = dict(part.split("=", 1) for part in PurePosixPath(path).parts[:-1] if "=" in part)
    key = next(iter(table.columns))
    groups = [footer.row_group(place).column(0).statistics for place in range(footer.num_row_groups)]
    statistics: dict[str, object] = {"numRecords": footer.num_rows}
    if groups and all(group is not None and group.has_min_max for group in groups):
        statistics |= {
            "minValues": {key: min(group.min for group in groups)},
            "maxValues": {key: max(group.max for group in groups)},
        }
    partition = {name: folders[name] for name in table.partition_by}
    return AddAction(path, size, partition, _now_ms(), True, json.dumps(statistics))


def commit_files(
    found: DeltaTable,
    table: Table,
    actions: Sequence[AddAction | RemoveAction],
    mode: str,
    origin: Mapping[str, str],
) -> None:
    """Commit added and removed files; mode "overwrite" also sets the table's columns.

    Raises:
        CommitFailedError: another commit came in between.
    """
    found.create_write_transaction(
        list(actions),
        mode,
        delta_schema(table) if mode == "overwrite" else found.schema(),
        list(table.partition_by) or None,
        commit_properties=CommitProperties(custom_metadata=dict(origin), max_commit_retries=0),
    )
    found.update_incremental()


def file_system(found: DeltaTable) -> FileSystem:
    """Open the table's folder, which may be in an object store."""
    if (folder := local_folder(found.table_uri)) is not None:
        return SubTreeFileSystem(str(folder), LocalFileSystem())
    return PyFileSystem(DeltaStorageHandler(found.table_uri))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
