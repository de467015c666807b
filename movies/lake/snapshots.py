"""Tables that mirror a file of others': replaced whole, in one commit, where the file has other content.

The commit says which file it was, so that the next run need not read it to know that it is the same.
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
from movies.lake.delta import NO_ROWS, Lake, changes_rows, create, insist, open_table
from movies.lake.errors import access
from movies.lake.files import commit_files, describe_file, file_system
from movies.lake.integrity import damaged_files
from movies.lake.table import Table

logger = logging.getLogger(__name__)

# What the metadata of a commit has of the file.
SNAPSHOT = "snapshot"
LAST_COMMITS = 100


@dataclass(frozen=True)
class Snapshot:
    """What a table mirrors: where the file was, what tells it from another, and what was in it.

    `mark` is what its place tells of it without reading, `digest` stands for its bytes, `code` for what read
    them. `refused` are the rows left out by reason.
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
    """What the table mirrors now; None where it does not say, or is not there.

    Raises:
        LakeAccessError: the table cannot be read.
    """
    found = open_table(table, lake)
    # One that has lost files is read again.
    return None if found is None or damaged_files(found) else _last_told(found)


def replace_by_file(
    table: Table,
    lake_root: str,
    batches: Iterable[pa.RecordBatch],
    constants: Mapping[str, object],
    describe: Callable[[], Snapshot],
) -> tuple[Snapshot, bool]:
    """Make a file's rows the table's whole content, and tell whether that was another than before.

    The rows go through one Parquet file as they come, so no more than a batch is in memory. Nothing is
    committed where an error ends them; where they are the same as before, only the file's new mark is.

    Args:
        table: its other columns than those of the batches are `constants`.
        describe: is called once the batches have been read.

    Raises:
        LakeAccessError: the table stays as it was.
    """
    found = create(table, lake_root)
    files, path = file_system(found), f"part-{uuid.uuid4().hex}.zstd.parquet"
    with access("written", found.table_uri):
        try:
            _write(files, path, table, (_complete(batch, table, constants) for batch in batches))
            told = describe()
        except BaseException:
            with suppress(OSError):
                files.delete_file(path)
            raise
        added = describe_file(table, files, path)
        # From here on the file stays: a commit may report a failure and have landed.
        is_new = insist(found, lambda: _commit(found, table, added, told, constants))
        if not is_new:
            files.delete_file(path)
    return told, is_new


def _write(files: FileSystem, path: str, table: Table, batches: Iterable[pa.RecordBatch]) -> None:
    key = next(iter(table.columns))
    with pq.ParquetWriter(
        path, arrow_schema(table), filesystem=files, compression="zstd", write_statistics=[key]
    ) as writer:
        for batch in batches:
            writer.write_batch(batch)


def _commit(
    found: DeltaTable, table: Table, added: AddAction, told: Snapshot, constants: Mapping[str, object]
) -> bool:
    """Commit the file, or its new mark alone if the table has its rows already; tell which."""
    before = _last_told(found)
    if before is None or not told.is_content_of(before) or damaged_files(found):
        origin = {SNAPSHOT: json.dumps(asdict(told))}
        origin |= {name: str(constants[name]) for name in ("batch_id", "source") if name in constants}
        commit_files(found, table, [added], "overwrite", origin)
        return True
    if told != before:
        properties = CommitProperties(
            custom_metadata={NO_ROWS: told.mark, SNAPSHOT: json.dumps(asdict(told))}, max_commit_retries=0
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


def _last_told(found: DeltaTable) -> Snapshot | None:
    with access("read", found.table_uri):
        for commit in found.history(limit=LAST_COMMITS):
            if SNAPSHOT in commit:
                told = json.loads(commit[SNAPSHOT])
                # Another version of the pipeline may tell of it otherwise: then the file is read again.
                return Snapshot(**told) if told.keys() == Snapshot.__dataclass_fields__.keys() else None
            if changes_rows(commit):
                break  # somebody else's, and nobody knows of which rows
    return None
