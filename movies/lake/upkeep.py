"""Upkeep of a table: drop old rows, compact and delete files, write checkpoints of the log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from deltalake import DeltaTable

from movies.lake.commits import WRITER
from movies.lake.delta import insist, open_table, renew_meanings
from movies.lake.lake_errors import access
from movies.lake.table import Table

# Compressed size. Dropping rows rewrites the rest of their files, and rows take twenty times as much in
# memory.
FILE_BYTES = 8 * 2**20
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Upkeep:
    """What upkeep did to a table; its rows have not changed."""

    table: str
    files_before: int
    files_after: int
    files_deleted: int


def maintain(table: Table, lake_root: str, retention: timedelta) -> Upkeep | None:
    """Compact a table's files, delete unused ones, and update its meanings.

    Return None if there is no table.

    Readers and writers may go on meanwhile: replaced files stay for the retention.

    Raises:
        LakeAccessError: the table cannot be read or written, or others commit to it all the time.
    """
    found = open_table(table, lake_root)
    if found is None:
        return None
    with access("maintained", found.table_uri):
        insist(found, lambda: renew_meanings(found, table))
        before = len(found.file_uris())
        compact(found)
        after = len(found.file_uris())
        deleted = delete_unneeded_files(found, retention)
        found.create_checkpoint()
    return Upkeep(table.name, before, after, deleted)


def compact(found: DeltaTable) -> None:
    """Join small files of each partition; nothing is committed if there are none."""
    insist(found, lambda: found.optimize.compact(target_size=FILE_BYTES, writer_properties=WRITER))


def drop_older(table: Table, lake_root: str, column: str, moment: datetime) -> int:
    """Drop the rows from before a moment and return their number; without any, nothing is committed.

    Others may append meanwhile. Older versions have the rows until upkeep deletes their files.

    Raises:
        LakeAccessError: the table cannot be read or written, or others commit to it all the time.
    """
    found = open_table(table, lake_root)
    if found is None:
        return 0
    older = f"{column} < '{moment.isoformat()}'"
    with access("written", found.table_uri):
        done = insist(found, lambda: found.delete(older, writer_properties=WRITER))
    return int(done["num_deleted_rows"])


def redate_future(table: Table, lake_root: str, column: str, now: datetime) -> int:
    """Set the time of rows from after `now` to 1970, so that any later fetch supersedes them.

    A wrong clock has written them, and the real time of the fetch is not known.

    Raises:
        LakeAccessError: the table cannot be read or written, or others commit to it all the time.
    """
    found = open_table(table, lake_root)
    if found is None:
        return 0
    future = f"{column} > '{now.isoformat()}'"
    with access("written", found.table_uri):
        done = insist(
            found,
            lambda: found.update(
                updates={column: f"'{LONG_AGO.isoformat()}'"}, predicate=future, writer_properties=WRITER
            ),
        )
    return int(done["num_updated_rows"])


def delete_unneeded_files(found: DeltaTable, retention: timedelta) -> int:
    """Delete files that were replaced before the retention, or were never committed."""
    hours = int(retention / timedelta(hours=1))
    # A shorter retention than Delta's week is the caller's decision.
    vacuum = partial(found.vacuum, hours, enforce_retention_duration=False, full=True)
    return len(vacuum(dry_run=False)) if vacuum(dry_run=True) else 0
