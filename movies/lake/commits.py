"""Commit through delta-rs: append a batch exactly once, or replace a whole small table."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import (
    ColumnProperties,
    CommitProperties,
    DeltaTable,
    Transaction,
    WriterProperties,
    write_deltalake,
)
from deltalake.exceptions import DeltaError

from movies.lake.delta import TableVersion, content_version, create, insist, query
from movies.lake.integrity import damaged_files
from movies.lake.lake_errors import access
from movies.lake.table import Table

logger = logging.getLogger(__name__)

# Every commit of rows carries this application id and the next number of its counter. delta-rs 1.6 rejects a
# commit if another one with the same id was committed meanwhile. It does not reject a repeated number, so the
# counter is read before and after.
APPLICATION_ID = "tmdb-movies-ingestion"
# A table object that has loaded hundreds of commits is ten times slower at the next one than a new object.
COMMITS_A_VIEW = 25
UNREAD = -1
# Payloads are alike, so large pages and a zstd level with a long window compress them well. Statistics of
# payloads would put whole payloads into each file's footer, uncompressed.
WRITER = WriterProperties(
    compression="ZSTD",
    compression_level=5,
    data_page_size_limit=2 * 2**20,
    column_properties={"payload": ColumnProperties(dictionary_enabled=False, statistics_enabled="NONE")},
)


class Appender:
    """The only writer of an append-only table in this process; other processes may write to it.

    No value of the column `unique` is committed twice: rows are left out if another writer has committed
    their value since `planned_at`, the version from which the work was planned. The default is the present
    version; None means that there was no table.
    """

    def __init__(
        self,
        table: Table,
        lake_root: str,
        source: str,
        unique: str | None = None,
        planned_at: TableVersion | Literal["now"] | None = "now",
    ) -> None:
        self._table = create(table, lake_root)
        self._source = source
        self._unique = unique
        if planned_at == "now":
            planned_at = TableVersion(str(self._table.metadata().id), self._table.version())
        is_same_table = planned_at is not None and planned_at.table_id == str(self._table.metadata().id)
        self._seen = planned_at.version if planned_at is not None and is_same_table else -1
        self._counter = UNREAD
        self._own_batches: set[str] = set()
        self._foreign_batches: list[str] = []
        self.commits = 0

    def append(self, rows: pa.Table, batch_id: str, marks: Sequence[Transaction] = ()) -> int:
        """Commit the rows as one batch, with marks in the log, and return the number of rows committed.

        A write is not repeated if it reports a failure but was committed. After a conflict it is
        repeated, without the rows that the other writer has committed.

        Raises:
            LakeAccessError: the batch was not committed.
        """
        while not self._is_committed(batch_id):
            rows = self._without_foreign(rows)
            if not rows.num_rows:
                return 0
            properties = CommitProperties(
                app_transactions=[Transaction(APPLICATION_ID, self._counter + 1), *marks],
                custom_metadata={"batch_id": batch_id, "source": self._source},
            )
            version = self._table.version()
            with access("written", self._table.table_uri):
                try:
                    write_deltalake(
                        self._table,
                        rows,
                        mode="append",
                        commit_properties=properties,
                        writer_properties=WRITER,
                    )
                    break
                except (OSError, DeltaError):
                    # If no other commit came in between, another try would fail as well.
                    self._read_counter()
                    if self._table.version() == version:
                        raise
        self.commits += 1
        if self.commits % COMMITS_A_VIEW == 0:
            self._table = DeltaTable(self._table.table_uri)
        # `_seen` stays as it is: others may have committed right after this batch.
        self._own_batches.add(batch_id)
        return int(rows.num_rows)

    def _read_counter(self) -> int:
        with access("read", self._table.table_uri):
            self._table.update_incremental()
            return self._table.transaction_version(APPLICATION_ID) or 0

    def _is_committed(self, batch_id: str) -> bool:
        """Read the commits since the last call, remember other writers' batches, and look for this one."""
        counter = self._read_counter()
        if counter == self._counter:
            return False
        commits = self._table.version() - self._seen
        with access("read", self._table.table_uri):
            history = self._table.history(limit=commits) if commits else []
        new = [commit["batch_id"] for commit in history if "batch_id" in commit]
        self._counter, self._seen = counter, self._table.version()
        self._foreign_batches += [batch for batch in new if batch not in self._own_batches | {batch_id}]
        return batch_id in new

    def _without_foreign(self, rows: pa.Table) -> pa.Table:
        if not self._foreign_batches or self._unique is None:
            return rows
        batches = ", ".join(f"'{batch}'" for batch in self._foreign_batches)
        there = query(self._table, f"SELECT {self._unique} FROM t WHERE batch_id IN ({batches})").column(0)
        new = rows.filter(pc.invert(pc.is_in(rows.column(self._unique), there)))
        if new.num_rows < rows.num_rows:
            logger.info("%s rows are left out: another run has committed them", rows.num_rows - new.num_rows)
        return new


def replace(
    table: Table, lake_root: str, rows: pa.Table, origin: Mapping[str, str] = MappingProxyType({})
) -> TableVersion:
    """Commit the rows as the table's whole content, unless it has just these rows already.

    `origin` goes into the commit and says where the rows come from.

    Raises:
        LakeAccessError: the table stays as it was.
    """
    return rewrite(table, lake_root, lambda _: rows, origin)


def rewrite(
    table: Table,
    lake_root: str,
    make_rows: Callable[[DeltaTable], pa.Table],
    origin: Mapping[str, str] = MappingProxyType({}),
) -> TableVersion:
    """Replace a table's content by rows made from it; after a conflict, make them again.

    Raises:
        LakeAccessError: the table stays as it was, or others commit to it all the time.
    """
    found = create(table, lake_root)
    properties = CommitProperties(custom_metadata=dict(origin), max_commit_retries=0)

    def commit() -> None:
        rows = make_rows(found)
        if not _has(found, table, rows):
            write_deltalake(
                found,
                # The writer writes several chunks in any order.
                rows.combine_chunks(),
                mode="overwrite",
                writer_properties=WRITER,
                commit_properties=properties,
            )

    with access("written", found.table_uri):
        insist(found, commit)
    return content_version(found)


def _has(found: DeltaTable, table: Table, rows: pa.Table) -> bool:
    """Return whether a table has just these rows in this order; a new or damaged table does not."""
    columns = ", ".join(f'"{name}"' for name in table.columns)
    if found.version() == 0 or damaged_files(found):
        return False
    content = query(found, f"SELECT {columns} FROM t").cast(rows.schema)
    return bool(content.equals(rows))
