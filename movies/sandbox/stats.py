"""Counts of the requests to the sandbox."""

from __future__ import annotations

from array import array
from collections import Counter
from time import monotonic
from typing import Any

WINDOW_SECONDS = 1.0


class Stats:
    """Counts of requests since the start or the last reset."""

    def __init__(self) -> None:
        self.by_kind: Counter[str] = Counter()
        self.by_movie: Counter[int] = Counter()
        self.refused: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.max_in_flight = 0
        self.in_flight = 0
        self._arrivals = array("d")

    def enter(self, kind: str, movie_id: int | None) -> float:
        """Count a request and return its time of arrival. Public files do not count for the rate."""
        self.by_kind[kind] += 1
        if movie_id is not None:
            self.by_movie[movie_id] += 1
        now = monotonic()
        if kind not in ("export", "ratings"):
            self._arrivals.append(now)
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        return now

    def leave(self) -> None:
        """Count a request as answered or given up."""
        self.in_flight -= 1

    def snapshot(self, with_arrivals: bool = False) -> dict[str, Any]:
        """Return all counts as plain values."""
        counts = {
            "requests": self.by_kind.total(),
            "by_kind": dict(self.by_kind),
            "by_movie": {str(movie_id): count for movie_id, count in self.by_movie.items()},
            "refused": dict(self.refused),
            "faults": dict(self.faults),
            "max_per_second": max_in_window(self._arrivals),
            "in_flight": self.in_flight,
            "max_in_flight": self.max_in_flight,
        }
        return counts | {"arrivals": list(self._arrivals)} if with_arrivals else counts


def max_in_window(arrivals: array[float], seconds: float = WINDOW_SECONDS) -> int:
    """Return the most arrivals in any half-open window; `arrivals` must be sorted."""
    most = first = 0
    for last, moment in enumerate(arrivals):
        while moment - arrivals[first] >= seconds:
            first += 1
        most = max(most, last - first + 1)
    return most
