"""How far the lake has followed TMDB's changes, kept in the log of the very table that has the movies.

Delta keeps, for each application id, the number of its last transaction, also across checkpoints and when old
log files are gone. The numbers here are seconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from deltalake import CommitProperties, Transaction

from movies.lake.delta import NO_ROWS, Lake, create, insist, open_table
from movies.lake.errors import access
from movies.lake.tables import RAW_MOVIES

FOLLOWED = "tmdb-movies-changes-followed"
BEGUN = "tmdb-movies-changes-begun"


@dataclass(frozen=True)
class Cursor:
    """Every change until `followed` is in the lake; the last walk to commit anything began at `begun`."""

    followed: datetime | None = None
    begun: datetime | None = None

    @property
    def broken_off(self) -> datetime | None:
        """When a walk began that did not come to its end; None where the last one did."""
        if self.begun is None or (self.followed is not None and self.begun <= self.followed):
            return None
        return self.begun


def read_cursor(lake: Lake) -> Cursor:
    """Read both moments; None where there was no walk yet.

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
    """What each commit of a walk carries, so that the next run knows when one that was broken off began."""
    return Transaction(BEGUN, int(begun.timestamp()))


def move_cursor(lake_root: str, followed: datetime) -> None:
    """Commit that every change until then is here, after all the movies are; the walk has come to its end.

    Raises:
        LakeAccessError: the cursor stays where it was, and the next run walks the same changes again.
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
