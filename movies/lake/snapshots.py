"""Tables that mirror an external file, and are replaced in one commit if the file has changed.

The commit records which file it was, so the next run can tell that it is the same without reading it.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable
from deltalake.transaction import AddAction
from pyarrow.fs import FileSystem

from movies.lake.arrow import arrow_schema
from movies.lake.data_files import commit_files, describe_file, file_system
from movies.lake.delta import NO_ROWS, Lake, changes_rows, create, insist, open_table
from movies.lake.integrity import damaged_files
from movies.lake.lake_errors import access
from movies.lake.table import Table

logger = logging.getLogger(__name__)

# Key of the file in the metadata of a commit.
SNAPSHOT = "snapshot"
LAST_COMMITS = 100


@dataclass(frozen=True)
class Snapshot:
    """The file that a table mirrors: where it was, what identifies it, and what was in it.

    `mark` identifies the file without reading it (an ETag), `digest` its bytes, `code` the code that read
    them. `refused` counts the rejected rows by reason.
    """

    source: str
    mark: str
    digest: str
    code: str
    rows: int
    refused: Mapping[str, int] = field(default_factory=dict)

    def is_content_of(self, other: Snapshot) -> bool:
        """Whether both have the same rows."""
        return (self.digest, self.code) == (other.digest, other.code)


def read_snapshot(table: Table, lake: Lake) -> Snapshot | None:
    """Return the file that the table mirrors now, or None if there is no table or its log does not say.

    Raises:
        LakeAccessError: the table cannot be read.
    """
    found = open_table(table, lake)
    # If the table has lost files, its source is read again.
    return None if found is None or damaged_files(found) else _last_snapshot(found)


def replace_by_file(
    table: Table,
    lake_root: str,
    batches: Iterable[pa.RecordBatch],
    constants: Mapping[str, object],
    describe: Callable[[], Snapshot],
) -> tuple[Snapshot, bool]:
    """Make a file's rows the table's whole content, and return whether it differs from before.

    The rows are streamed to one Parquet file, so only one batch is in memory. If an error interrupts them,
    nothing is committed; if they are the same as before, only the file's new mark is.

    Args:
        constants: values of the table's columns that the batches lack.
        describe: called when all batches have been read.

    Raises:
        LakeAccessError: the table stays as it was.
    """
    found = create(table, lake_root)
    files, path = file_system(found), f"part-{uuid.uuid4().hex}.zstd.parquet"
    with access("written", found.table_uri):
        try:
            _write(files, path, table, (_complete(batch, table, constants) for batch in batches))
            snapshot = describe()
        except BaseException:
            with suppress(OSError):
                files.delete_file(path)
            raise
        added = describe_file(table, files, path)
        # From here on the file stays: a commit may report a failure and yet be committed.
        is_new = insist(found, lambda: _commit(found, table, added, snapshot, constants))
        if not is_new:
            files.delete_file(path)
    return snapshot, is_new


def _write(files: FileSystem, path: str, table: Table, batches: Iterable[pa.RecordBatch]) -> None:
    key = next(iter(table.columns))
    with pq.ParquetWriter(
        path, arrow_schema(table), filesystem=files, compression="zstd", write_statistics=[key]
    ) as writer:
        for batch in batches:
            writer.write_batch(batch)


def _commit(
    found: DeltaTable, table: Table, added: AddAction, now: Snapshot, constants: Mapping[str, object]
) -> bool:
    """Commit the file, or only its mark if the rows are the same; return whether the file was committed."""
    before = _last_snapshot(found)
    if before is None or not now.is_content_of(before) or damaged_files(found):
        origin = {SNAPSHOT: json.dumps(asdict(now))}
        origin |= {name: str(constants[name]) for name in ("batch_id", "source") if name in constants}
        commit_files(found, table, [added], "overwrite", origin)
        return True
    if now != before:
        properties = CommitProperties(
            custom_metadata={NO_ROWS: now.mark, SNAPSHOT: json.dumps(asdict(now))}, max_commit_retries=0
        )
        found.create_write_transaction([], mode="append", schema=found.schema(), commit_properties=properties)
    return False


def _complete(batch: pa.RecordBatch, table: Table, constants: Mapping[str, object]) -> pa.RecordBatch:
    schema = arrow_schema(table)
    columns = [
        pa.repeat(pa.scalar(constants[column.name], column.type), batch.num_rows)
        if column.name in constants
        else batch.column(column.name)
        for column in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _last_snapshot(found: DeltaTable) -> Snapshot | None:
    with access("read", found.table_uri):
        for commit in found.history(limit=LAST_COMMITS):
            if SNAPSHOT in commit:
                fields = json.loads(commit[SNAPSHOT])
                # If another version of the pipeline wrote other fields, the file is read again.
                return Snapshot(**fields) if fields.keys() == Snapshot.__dataclass_fields__.keys() else None
            if changes_rows(commit):
                break  # by another program, with unknown rows
    return None
