"""The ways to commit through delta-rs: a batch that is appended once, and a small table replaced whole."""

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
from movies.lake.errors import access
from movies.lake.integrity import damaged_files
from movies.lake.table import Table

logger = logging.getLogger(__name__)

# Every commit of rows carries this application id and the next number of its counter. The log refuses a
# commit that another one with the same id has overtaken, but not a repeated number, so the counter is read
# before and after (facts of delta-rs 1.6).
APPLICATION_ID = "tmdb-movies-ingestion"
# A view of a table that has followed hundreds of commits is ten times as slow at the next as a new one.
COMMITS_A_VIEW = 25
NOT_LOOKED = -1
# Payloads are much alike: they are packed many at a time, at the level from which zstd looks far back. Their
# statistics would put whole payloads into each file's footer, uncompressed.
WRITER = WriterProperties(
    compression="ZSTD",
    compression_level=5,
    data_page_size_limit=2 * 2**20,
    column_properties={"payload": ColumnProperties(dictionary_enabled=False, statistics_enabled="NONE")},
)


class Appender:
    """The only writer of an append-only table in this process; others may write to it elsewhere.

    `unique` names a column of which no value is committed twice: rows whose value another writer has
    committed since the version `planned_at`, by which it was planned what to write, are left out. That is the
    present one where none is given, and None where there was no table.
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
        self._counter = NOT_LOOKED
        self._own_batches: set[str] = set()
        self._foreign_batches: list[str] = []
        self.commits = 0

    def append(self, rows: pa.Table, batch_id: str, marks: Sequence[Transaction] = ()) -> int:
        """Commit the rows as one batch, along with marks in the log, and return how many rows it has.

        A write that reports a failure but landed is not repeated. One that met another writer's is repeated,
        without the rows that the other one has committed.

        Raises:
            LakeAccessError: the batch did not land.
        """
        while not self._has_landed(batch_id):
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
                    # Without another commit, be it of rows or of what drops some, it would only fail again.
                    self._read_counter()
                    if self._table.version() == version:
                        raise
        self.commits += 1
        if self.commits % COMMITS_A_VIEW == 0:
            self._table = DeltaTable(self._table.table_uri)
        # What others have committed right behind it is found at the next look, which must not begin later.
        self._own_batches.add(batch_id)
        return int(rows.num_rows)

    def _read_counter(self) -> int:
        with access("read", self._table.table_uri):
            self._table.update_incremental()
            return self._table.transaction_version(APPLICATION_ID) or 0

    def _has_landed(self, batch_id: str) -> bool:
        """Look at what was committed since the last look; keep in mind what is not ours."""
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
    """Commit the rows as the table's whole new content; nothing is committed where it is that already.

    `origin` goes into the commit: where the rows come from.

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
    """Replace a table's content by what is made from it, or from what a commit in between has left.

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
                # Of several chunks the writer writes whichever comes first.
                rows.combine_chunks(),
                mode="overwrite",
                writer_properties=WRITER,
                commit_properties=properties,
            )

    with access("written", found.table_uri):
        insist(found, commit)
    return content_version(found)


def _has(found: DeltaTable, table: Table, rows: pa.Table) -> bool:
    """Whether a table has just these rows, in this order; one that is new has none of its own yet."""
    columns = ", ".join(f'"{name}"' for name in table.columns)
    if found.version() == 0 or damaged_files(found):
        return False
    content = query(found, f"SELECT {columns} FROM t").cast(rows.schema)
    return bool(content.equals(rows))
