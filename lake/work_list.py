"""What is still to fetch, read from the lake alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lake.delta import open_table, query
from lake.errors import MixedSourcesError
from lake.tables import FETCH_FAILURES, RAW_MOVIES, Table


@dataclass(frozen=True)
class WorkList:
    """The ids to fetch, in the order asked for, and how many need no request."""

    to_fetch: tuple[int, ...]
    present: int = 0
    absent: int = 0

    @property
    def asked(self) -> int:
        return len(self.to_fetch) + self.present + self.absent


def plan_work(
    lake_root: str,
    movie_ids: Iterable[int],
    *,
    max_age_days: float | None = None,
    refresh: bool = False,
    now: datetime | None = None,
) -> WorkList:
    """Take what is present and fresh, or known not to exist, off the list (contract, section 3)."""
    asked = tuple(dict.fromkeys(movie_ids))
    if refresh:
        return WorkList(asked)
    since = None if max_age_days is None else (now or datetime.now(UTC)) - timedelta(days=max_age_days)
    present = _newest(lake_root, RAW_MOVIES, "fetched_at", "", since)
    absent = _newest(lake_root, FETCH_FAILURES, "failed_at", "WHERE reason = 'not_found'", since) - present
    return WorkList(
        tuple(movie_id for movie_id in asked if movie_id not in present and movie_id not in absent),
        present=sum(movie_id in present for movie_id in asked),
        absent=sum(movie_id in absent for movie_id in asked),
    )


def stale_movies(lake_root: str, max_age_days: float, *, now: datetime | None = None) -> tuple[int, ...]:
    """The movies whose latest payload is older than that, and which have not been found gone since then."""
    since = (now or datetime.now(UTC)) - timedelta(days=max_age_days)
    present = _newest(lake_root, RAW_MOVIES, "fetched_at", "", None)
    fresh = _newest(lake_root, RAW_MOVIES, "fetched_at", "", since)
    gone = _newest(lake_root, FETCH_FAILURES, "failed_at", "WHERE reason = 'not_found'", since)
    return tuple(sorted(present - fresh - gone))


def check_source(lake_root: str, source: str, sandbox: str) -> None:
    """Refuse to mix sandbox movies with others in one lake.

    Raises:
        MixedSourcesError: the lake holds movies of the other kind.
    """
    sources = _sources(lake_root)
    others = sorted(other for other in sources if (other == sandbox) != (source == sandbox))
    if others:
        raise MixedSourcesError(
            f"The lake at {lake_root} holds movies from {', '.join(others)}, and this run would add some "
            f"from {source}: choose another LAKE_ROOT"
        )


def _sources(lake_root: str) -> set[str]:
    sources: set[str] = set()
    if (raw := open_table(RAW_MOVIES, lake_root)) is not None:
        sources |= set(query(raw, "SELECT DISTINCT source FROM t").column("source").to_pylist())
    # A movie known not to exist in the sandbox may well exist elsewhere; this table has no such column.
    if (failures := open_table(FETCH_FAILURES, lake_root)) is not None:
        sources |= {commit["source"] for commit in failures.history(limit=20) if "source" in commit}
    return sources


def _newest(lake_root: str, table: Table, time: str, where: str, since: datetime | None) -> set[int]:
    found = open_table(table, lake_root)
    if found is None:
        return set()
    condition = where
    if since is not None:
        moment = f"{time} >= to_timestamp('{since.astimezone(UTC).isoformat()}')"
        condition = f"{where} AND {moment}" if where else f"WHERE {moment}"
    return set(query(found, f"SELECT DISTINCT movie_id FROM t {condition}").column("movie_id").to_pylist())
