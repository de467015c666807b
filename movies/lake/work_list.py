"""Plan which movies to fetch, from the lake alone."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from movies.lake.delta import Lake, open_table, query, root_of
from movies.lake.inventory import MOMENT, Inventory
from movies.lake.lake_errors import MixedSourcesError
from movies.lake.tables import FETCH_FAILURES, RAW_MOVIES


@dataclass(frozen=True)
class WorkList:
    """The ids to fetch, in the order requested, and how many need no request.

    `absent` counts those not found at TMDB. The ids are 64-bit numbers, since there may be millions.
    """

    to_fetch: array[int]
    present: int = 0
    absent: int = 0

    @property
    def asked(self) -> int:
        return len(self.to_fetch) + self.present + self.absent


def plan_work(
    inventory: Inventory,
    movie_ids: Iterable[int],
    *,
    needed_since: datetime | Sequence[datetime] | None = None,
    refresh: bool = False,
) -> WorkList:
    """Leave out movies that are present and fresh, or not found at TMDB (contract, section 3).

    Args:
        needed_since: the oldest acceptable answer: one moment for all movies, or one for each of the ids,
            which must then be unique.
        refresh: fetch all requested ids.
    """
    # Drop repeated ids. Arrow's own functions take more memory for it.
    requested = _arrow(dict.fromkeys(movie_ids))
    if refresh:
        return WorkList(_array(requested))
    places = pc.index_in(requested, value_set=inventory.movies["movie_id"])
    settled_at = pc.take(inventory.settled_at, places)
    is_fresh = pc.is_valid(settled_at)
    if needed_since is not None:
        is_one = isinstance(needed_since, datetime)
        needed = pa.scalar(needed_since, MOMENT) if is_one else pa.array(needed_since, MOMENT)
        is_owed = _surely(pc.take(inventory.is_owed, places))
        is_fresh = pc.and_not(_surely(pc.greater_equal(settled_at, needed)), is_owed)
    # Not found once, and a later fetch failed: it may exist by now, or its old payload was dropped.
    is_doubtful = pc.and_(inventory.is_absent, inventory.is_owed)
    is_fresh = pc.and_not(is_fresh, _surely(pc.take(is_doubtful, places)))
    is_absent = pc.and_(is_fresh, _surely(pc.take(inventory.is_absent, places)))
    absent, fresh = (pc.sum(mask).as_py() or 0 for mask in (is_absent, is_fresh))
    return WorkList(_array(requested.filter(pc.invert(is_fresh))), present=fresh - absent, absent=absent)


def stale_movies(inventory: Inventory, since: datetime) -> array[int]:
    """Return the movies whose latest payload is older than `since`, without those deleted at TMDB."""
    is_old = pc.less(inventory.movies["fetched_at"], pa.scalar(since, MOMENT))
    return _select(inventory, pc.and_(inventory.is_present, _surely(is_old)))


def owed_movies(inventory: Inventory, reason: str | None = None) -> array[int]:
    """Return the movies pending retry, all or for one reason."""
    mask = inventory.is_owed
    if reason is not None:
        mask = pc.and_kleene(mask, _surely(pc.equal(inventory.movies["reason"], reason)))
    return _select(inventory, mask)


def check_source(lake: Lake, source: str, sandbox: str) -> None:
    """Reject a source that would mix sandbox movies with others in one lake.

    Raises:
        MixedSourcesError: the lake holds movies of the other kind.
    """
    sources = find_sources(lake)
    others = sorted(other for other in sources if (other == sandbox) != (source == sandbox))
    if others:
        raise MixedSourcesError(
            f"The lake at {root_of(lake)} holds movies from {', '.join(others)}, and this run would add some "
            f"from {source}. Choose another LAKE_ROOT."
        )


def find_sources(lake: Lake) -> set[str]:
    """Find the servers that a lake's movies come from, by their names in `raw/movies`.

    The log has the minimum and maximum of each file. Files are read only if these differ, so this works
    for most lakes that have lost files, too.
    """
    sources: set[str] = set()
    if (raw := open_table(RAW_MOVIES, lake)) is not None:
        files = pa.table(raw.get_add_actions(flatten=True))
        columns = [files[name] for name in ("min.source", "max.source") if name in files.column_names]
        bounds: list[set[str | None]] = [{*column.to_pylist()} for column in columns]
        if len(bounds) == 2 and bounds[0] == bounds[1] and None not in bounds[0]:
            sources |= {source for source in bounds[0] if source is not None}
        else:
            sources |= set(query(raw, "SELECT DISTINCT source FROM t").column("source").to_pylist())
    # A movie not found in the sandbox may exist elsewhere. This table has no source column, only commits do.
    if (failures := open_table(FETCH_FAILURES, lake)) is not None:
        sources |= {commit["source"] for commit in failures.history(limit=20) if "source" in commit}
    return sources


def _select(inventory: Inventory, mask: pa.ChunkedArray) -> array[int]:
    ids = inventory.movies["movie_id"].filter(mask)
    return _array(pc.take(ids, pc.array_sort_indices(ids)))


def _surely(mask: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Return the mask with false for null; `pc.fill_null` would load pandas."""
    return pc.and_kleene(mask, pc.is_valid(mask))


# Arrays are converted by their bytes, since a million Python numbers would take 300 MB.
def _arrow(ids: Iterable[int]) -> pa.Array:
    ids = ids if isinstance(ids, array) else array("q", ids)
    return pa.Array.from_buffers(pa.int64(), len(ids), [None, pa.py_buffer(ids)])


def _array(ids: pa.Array | pa.ChunkedArray) -> array[int]:
    copy = array("q")
    for chunk in ids.chunks if isinstance(ids, pa.ChunkedArray) else [ids]:
        copy.frombytes(memoryview(chunk.buffers()[1])[8 * chunk.offset : 8 * (chunk.offset + len(chunk))])
    return copy
