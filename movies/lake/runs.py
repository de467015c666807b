"""Recent ingestions into a lake, read from the logs of the raw tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from movies.lake.delta import open_table
from movies.lake.lake_errors import access
from movies.lake.table import Table
from movies.lake.tables import FETCH_FAILURES, RAW_MOVIES

# Each batch is a commit. Of a run with more batches, only the last ones are counted.
COMMITS_READ = 200


@dataclass(frozen=True)
class PastIngestion:
    """Numbers of payloads and failures that one run has committed."""

    run: str
    began: datetime
    ended: datetime
    movies: int = 0
    failures: int = 0


def recent_ingestions(lake_root: str, most: int) -> list[PastIngestion]:
    """Return the last runs that committed anything, newest first.

    Raises:
        LakeAccessError: a table cannot be read.
    """
    runs: dict[str, PastIngestion] = {}
    for table in (RAW_MOVIES, FETCH_FAILURES):
        for commit in _commits(table, lake_root):
            run = commit["batch_id"].rpartition("-")[0]
            moment = datetime.fromtimestamp(commit["timestamp"] / 1000, UTC)
            rows = int(commit.get("operationMetrics", {}).get("num_added_rows", 0))
            known = runs.get(run, PastIngestion(run, moment, moment))
            is_movies = table is RAW_MOVIES
            runs[run] = PastIngestion(
                run,
                min(known.began, moment),
                max(known.ended, moment),
                known.movies + (rows if is_movies else 0),
                known.failures + (0 if is_movies else rows),
            )
    return sorted(runs.values(), key=lambda run: run.ended, reverse=True)[:most]


def _commits(table: Table, lake_root: str) -> Iterator[dict[str, Any]]:
    found = open_table(table, lake_root)
    if found is None:
        return
    with access("read", found.table_uri):
        yield from (commit for commit in found.history(limit=COMMITS_READ) if "batch_id" in commit)
