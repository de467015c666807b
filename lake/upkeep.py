"""Keeping a table quick to read: few well-sized files, none that nobody needs, a log that is read at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from lake.commits import WRITER
from lake.delta import open_table
from lake.errors import access
from lake.tables import Table

# A commit that meets another's is tried again on what that one has left.
ATTEMPTS = 5


@dataclass(frozen=True)
class Upkeep:
    """What was done to a table; its rows stayed as they were."""

    table: str
    files_before: int
    files_after: int
    files_deleted: int


def maintain(table: Table, lake_root: str, retention: timedelta) -> Upkeep | None:
    """Compact a table's files, and delete those that nobody needs any more; None where there is no table.

    Readers and writers may go on meanwhile: what compaction replaces stays for as long as the retention.

    Raises:
        LakeAccessError: the table cannot be read or written, or others commit to it all the time.
    """
    found = open_table(table, lake_root)
    if found is None:
        return None
    with access("maintained", found.table_uri):
        before = len(found.file_uris())
        compact(found)
        after = len(found.file_uris())
        deleted = delete_unneeded_files(found, retention)
        found.create_checkpoint()
    return Upkeep(table.name, before, after, deleted)


def compact(found: DeltaTable) -> None:
    """Join small files, partition by partition; nothing is committed where there are none to join."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            found.optimize.compact(writer_properties=WRITER)
            return
        except CommitFailedError:
            if attempt == ATTEMPTS:
                raise
            found.update_incremental()


def delete_unneeded_files(found: DeltaTable, retention: timedelta) -> int:
    """Delete files that were replaced longer ago than the retention, or never got into a version."""
    hours = int(retention / timedelta(hours=1))
    # A shorter retention than Delta's week is the caller's decision.
    vacuum = partial(found.vacuum, hours, enforce_retention_duration=False, full=True)
    return len(vacuum(dry_run=False)) if vacuum(dry_run=True) else 0
