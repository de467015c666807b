"""When each movie was last fetched, not found at TMDB, or could not be fetched."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from movies.lake.arrow import moments
from movies.lake.delta import Lake, TableVersion, current_version, open_table, query
from movies.lake.table import Table
from movies.lake.tables import FETCH_FAILURES, RAW_MOVIES

MOMENT = pa.timestamp("us", "UTC")
FETCHED = "SELECT movie_id, max(fetched_at) AS fetched_at FROM t GROUP BY movie_id"
FAILED = """
    SELECT movie_id,
           max(failed_at) FILTER (WHERE reason = 'not_found') AS not_found_at,
           max(failed_at) FILTER (WHERE reason <> 'not_found') AS failed_at,
           last_value(reason ORDER BY failed_at) FILTER (WHERE reason <> 'not_found') AS reason
    FROM t GROUP BY movie_id
"""
COLUMNS = {
    "fetched": {"movie_id": pa.int64(), "fetched_at": MOMENT},
    "failed": {"movie_id": pa.int64(), "not_found_at": MOMENT, "failed_at": MOMENT, "reason": pa.string()},
}


@dataclass(frozen=True)
class Inventory:
    """Every movie that the raw tables name, once, with the last moment of each outcome.

    `movies` has the columns `movie_id`, `fetched_at`, `not_found_at`, `failed_at` and `reason`, which is that
    of the last failure. Payloads are not read: a million movies take some 40 MB.
    """

    movies: pa.Table
    versions: tuple[TableVersion | None, TableVersion | None]

    @property
    def is_present(self) -> pa.ChunkedArray:
        """Fetched, and not deleted at TMDB since."""
        return pc.and_(pc.is_valid(self.movies["fetched_at"]), pc.invert(self.is_absent))

    @property
    def is_absent(self) -> pa.ChunkedArray:
        """Not found at TMDB: it never existed, or was deleted."""
        return _later(self.movies["not_found_at"], self.movies["fetched_at"])

    @property
    def is_deleted(self) -> pa.ChunkedArray:
        """Fetched once, and not found at TMDB since."""
        return pc.and_(self.is_absent, pc.is_valid(self.movies["fetched_at"]))

    @property
    def is_owed(self) -> pa.ChunkedArray:
        """Pending retry: could not be fetched at the last attempt."""
        return _later(self.movies["failed_at"], self.settled_at)

    @property
    def settled_at(self) -> pa.ChunkedArray:
        """When each was last fetched or not found at TMDB."""
        return pc.if_else(self.is_absent, self.movies["not_found_at"], self.movies["fetched_at"])

    @property
    def owed_by_reason(self) -> dict[str, int]:
        """Count the movies that could not be fetched at the last attempt, by reason."""
        return dict(sorted(Counter(self.movies["reason"].filter(self.is_owed).to_pylist()).items()))

    @property
    def oldest_fetch(self) -> datetime | None:
        """When the oldest of the latest payloads was fetched."""
        [oldest] = moments(pc.min(self.movies["fetched_at"].filter(self.is_present)))
        return oldest

    @property
    def newest_moment(self) -> datetime | None:
        """When any movie was last fetched, not found or failed."""
        columns = ("fetched_at", "not_found_at", "failed_at")
        found = [moment for name in columns for moment in moments(pc.max(self.movies[name])) if moment]
        return max(found, default=None)

    @property
    def newest_fetch(self) -> datetime | None:
        """When the newest payload was fetched."""
        [newest] = moments(pc.max(self.movies["fetched_at"]))
        return newest


def read_inventory(lake: Lake, known: Inventory | None = None) -> Inventory:
    """Read the inventory from the raw tables; return `known` if they have not changed since.

    Raises:
        LakeAccessError: a table cannot be read.
    """
    versions = current_version(RAW_MOVIES, lake), current_version(FETCH_FAILURES, lake)
    if known is not None and known.versions == versions:
        return known
    fetched = _query(lake, RAW_MOVIES, FETCHED, COLUMNS["fetched"])
    failed = _query(lake, FETCH_FAILURES, FAILED, COLUMNS["failed"])
    return Inventory(_merge(fetched, failed), versions)


def _query(lake: Lake, table: Table, sql: str, columns: dict[str, pa.DataType]) -> pa.Table:
    found = open_table(table, lake)
    schema = pa.schema(list(columns.items()))
    # `schema.empty_table` would load pandas.
    return pa.Table.from_batches([], schema) if found is None else query(found, sql).cast(schema)


def _merge(fetched: pa.Table, failed: pa.Table) -> pa.Table:
    """Merge into one row a movie; a full outer join would take several times the memory."""
    places = pc.index_in(fetched["movie_id"], value_set=failed["movie_id"])
    for column in ("not_found_at", "failed_at", "reason"):
        fetched = fetched.append_column(column, pc.take(failed[column], places))
    never_fetched = failed.filter(pc.invert(pc.is_in(failed["movie_id"], fetched["movie_id"])))
    nothing = pa.nulls(never_fetched.num_rows, MOMENT)
    return pa.concat_tables(
        [fetched, never_fetched.append_column("fetched_at", nothing).select(fetched.column_names)]
    )


def _later(moment: pa.ChunkedArray, other: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return for each row whether there is a moment, and it is later than the other one."""
    # `pc.fill_null` would load pandas.
    return pc.and_kleene(pc.is_valid(moment), pc.or_kleene(pc.greater(moment, other), pc.is_null(other)))
