"""The change cursor: up to when the lake has processed TMDB's changes, stored in the log of `raw/movies`.

Delta stores the number of the last transaction of each application id. It survives checkpoints and the
deletion of old log files. Here the numbers are seconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from deltalake import CommitProperties, Transaction

from movies.lake.delta import NO_ROWS, Lake, create, insist, open_table
from movies.lake.lake_errors import access
from movies.lake.tables import RAW_MOVIES

FOLLOWED = "tmdb-movies-changes-followed"
BEGUN = "tmdb-movies-changes-begun"


@dataclass(frozen=True)
class Cursor:
    """Changes are processed up to `followed`; the last scan that committed anything began at `begun`."""

    followed: datetime | None = None
    begun: datetime | None = None

    @property
    def broken_off(self) -> datetime | None:
        """When an unfinished scan began; None if the last scan was finished."""
        if self.begun is None or (self.followed is not None and self.begun <= self.followed):
            return None
        return self.begun


def read_cursor(lake: Lake) -> Cursor:
    """Read both moments, which are None if there was no scan yet.

    Raises:
        LakeAccessError: the table cannot be read.
    """
    found = open_table(RAW_MOVIES, lake)
    if found is None:
        return Cursor()
    with access("read", found.table_uri):
        seconds = (found.transaction_version(name) for name in (FOLLOWED, BEGUN))
        return Cursor(*(None if one is None else datetime.fromtimestamp(one, UTC) for one in seconds))


def mark_begun(begun: datetime) -> Transaction:
    """Return the mark in each commit of a scan, which shows the next run when an unfinished scan began."""
    return Transaction(BEGUN, int(begun.timestamp()))


def move_cursor(lake_root: str, followed: datetime) -> None:
    """Commit that all changes up to `followed` are in the lake; call it after the last movie of the scan.

    Raises:
        LakeAccessError: the cursor stays where it was, and the next run scans the same changes again.
    """
    found = create(RAW_MOVIES, lake_root)
    properties = CommitProperties(
        app_transactions=[Transaction(name, int(followed.timestamp())) for name in (FOLLOWED, BEGUN)],
        custom_metadata={NO_ROWS: followed.isoformat()},
        max_commit_retries=0,
    )
    with access("written", found.table_uri):
        insist(
            found,
            lambda: found.create_write_transaction(
                [], mode="append", schema=found.schema(), commit_properties=properties
            ),
        )
