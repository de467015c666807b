"""Repair raw tables that have lost files: drop the files from the log and fetch their movies again."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable
from deltalake.transaction import RemoveAction

from movies.lake.arrow import arrow_schema
from movies.lake.commits import Appender
from movies.lake.delta import Lake, LakeView, insist, open_table, query, root_of
from movies.lake.integrity import damaged_files, files_of, require_files
from movies.lake.lake_errors import access
from movies.lake.table import Table
from movies.lake.tables import FETCH_FAILURES, FILTERED, QUARANTINE, RAW_MOVIES, SILVER_MOVIES

logger = logging.getLogger(__name__)

# Reason in `raw/fetch_failures` of movies whose payload was in a lost file.
LOST = "lost_file"


def drop_lost_files(lake: Lake, source: str) -> None:
    """Drop missing or torn files from the raw tables, and record the movies that were in them.

    Silver's tables show which movies these are. They count as failed until they are fetched again.

    Raises:
        LakeAccessError: a table cannot be read or written.
    """
    lake_root = root_of(lake)
    dropped = [_drop(table, lake) for table in (RAW_MOVIES, FETCH_FAILURES)]
    if any(dropped) and isinstance(lake, LakeView):
        lake.forget()
    if any(dropped) and (lost := _lost_movies(lake_root)):
        now = datetime.now(UTC)
        # Earlier than any later answer, whose content may have been cached for a day.
        moment = now - timedelta(days=2)
        batch_id = f"{now:%Y%m%dT%H%M%S%f}-repair-000001"
        row = {"reason": LOST, "detail": "a file of raw/movies was missing or torn", "attempts": 0}
        rows = [{"movie_id": movie_id, "failed_at": moment, "batch_id": batch_id, **row} for movie_id in lost]
        table = pa.Table.from_pylist(rows, schema=arrow_schema(FETCH_FAILURES))
        Appender(FETCH_FAILURES, lake_root, source).append(table, batch_id)
        logger.warning("%s movies were in lost files. They are fetched again.", len(lost))


def require_raw_files(lake: Lake) -> None:
    """Reject a lake whose raw tables have missing or torn files.

    Raises:
        FilesLostError: files are missing or torn.
    """
    for table in (RAW_MOVIES, FETCH_FAILURES):
        if (found := open_table(table, lake)) is not None:
            require_files(table, found)


def _drop(table: Table, lake: Lake) -> int:
    found = open_table(table, lake)
    if found is None or not damaged_files(found):
        return 0
    with access("written", found.table_uri):
        dropped = insist(found, lambda: _commit(found))
    logger.warning("%s had %s missing or torn files. They are dropped from its log.", table.name, dropped)
    return dropped


def _commit(found: DeltaTable) -> int:
    sizes = files_of(found)
    lost = damaged_files(found)
    if lost:
        now = time.time_ns() // 1_000_000
        found.create_write_transaction(
            [RemoveAction(path, True, now, sizes[path], {}) for path in lost],
            "append",
            found.schema(),
            commit_properties=CommitProperties(max_commit_retries=0),
        )
        found.update_incremental()
    return len(lost)


def _lost_movies(lake_root: str) -> list[int]:
    """Return the movies that silver was made from, and whose payload is lost."""
    raw = open_table(RAW_MOVIES, lake_root)
    known = [
        query(found, f'SELECT "{next(iter(table.columns))}" FROM t').column(0).cast(pa.int64())
        for table in (SILVER_MOVIES, QUARANTINE, FILTERED)
        if (found := open_table(table, lake_root)) is not None and not damaged_files(found)
    ]
    ids = pa.chunked_array([chunk for column in known for chunk in column.chunks], pa.int64()).unique()
    there = (
        pa.array([], pa.int64()) if raw is None else query(raw, "SELECT DISTINCT movie_id FROM t").column(0)
    )
    lost: list[int] = ids.filter(pc.invert(pc.is_in(ids, value_set=there.cast(pa.int64())))).to_pylist()
    return sorted(lost)
