"""The ways to commit through delta-rs: a batch that is appended once, and a small table replaced whole."""

from __future__ import annotations

import pyarrow as pa
from deltalake import CommitProperties, Transaction, WriterProperties, write_deltalake
from deltalake.exceptions import DeltaError

from lake.delta import TableVersion, content_version, create
from lake.errors import ConcurrentRunError, access
from lake.tables import Table

# Every commit of rows carries this application id and the next number of its counter. Delta records the
# pair but does not refuse a repeated one (facts of delta-rs 1.6), so the counter is read before and after.
APPLICATION_ID = "tmdb-movies-ingestion"
WRITER = WriterProperties(compression="ZSTD", compression_level=3)


class Appender:
    """The only writer of an append-only table in this process."""

    def __init__(self, table: Table, lake_root: str, source: str) -> None:
        self._table = create(table, lake_root)
        self._source = source
        self._counter = self._read_counter()
        self.commits = 0

    def append(self, rows: pa.Table, batch_id: str) -> None:
        """Commit the rows as one batch.

        A write that reports a failure but landed is not repeated.

        Raises:
            ConcurrentRunError: another run committed since this one began.
            LakeAccessError: the batch did not land.
        """
        self._refuse_foreign_commits(self._read_counter(), batch_id)
        properties = CommitProperties(
            app_transactions=[Transaction(APPLICATION_ID, self._counter + 1)],
            custom_metadata={"batch_id": batch_id, "source": self._source},
        )
        with access("written", self._table.table_uri):
            try:
                write_deltalake(
                    self._table, rows, mode="append", commit_properties=properties, writer_properties=WRITER
                )
            except (OSError, DeltaError):
                if not self._has_landed(batch_id):
                    raise
        self._counter += 1
        self.commits += 1

    def _read_counter(self) -> int:
        with access("read", self._table.table_uri):
            self._table.update_incremental()
            return self._table.transaction_version(APPLICATION_ID) or 0

    def _has_landed(self, batch_id: str) -> bool:
        found = self._read_counter()
        self._refuse_foreign_commits(found, batch_id)
        return found == self._counter + 1

    def _refuse_foreign_commits(self, found: int, batch_id: str) -> None:
        if found == self._counter:
            return
        last = self._table.history(limit=1)[0]
        if found != self._counter + 1 or last.get("batch_id") != batch_id:
            raise ConcurrentRunError(
                f"Another run commits to {self._table.table_uri}: let it end, then start this one again; "
                "what this one has committed stays and will not be fetched again"
            )


def replace(table: Table, lake_root: str, rows: pa.Table) -> TableVersion:
    """Commit the rows as the table's whole new content.

    Raises:
        LakeAccessError: the table stays as it was.
    """
    found = create(table, lake_root)
    with access("written", found.table_uri):
        write_deltalake(found, rows, mode="overwrite", writer_properties=WRITER)
    return content_version(found)
