"""Paged lists like TMDB's discover and changes, and the daily export of ids."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from threading import Lock
from typing import Any

from movies.sandbox.answer_bodies import INVALID_PAGE, INVALID_PARAMETERS, INVALID_WINDOW, Refused, encode
from movies.sandbox.bundled_movies import ListedMovie, Movies

DISCOVER_PAGE_SIZE = 20
CHANGES_PAGE_SIZE = 100
MAX_PAGE = 500
MAX_WINDOW = timedelta(days=14)
CHANGE_EVERY_DAYS = 10
EXPORT_READY = timedelta(hours=8)  # after midnight UTC
EXPORT_KEPT = timedelta(days=90)
CACHED_LISTS = 8  # reading 5,000 pages filters and sorts once

SORT_KEYS: dict[str, Callable[[ListedMovie], Any]] = {
    "popularity": lambda movie: movie.popularity,
    "primary_release_date": lambda movie: movie.release_date,
    "release_date": lambda movie: movie.release_date,
    "revenue": lambda movie: movie.revenue,
    "vote_average": lambda movie: movie.vote_average,
    "vote_count": lambda movie: movie.vote_count,
    "title": lambda movie: movie.title,
    "original_title": lambda movie: movie.original_title,
}
DEFAULT_SORT = "popularity.desc"


class Lists:
    """All lists of one sandbox; `today` is fixed if given."""

    def __init__(self, movies: Movies, today: date | None = None) -> None:
        self._movies = movies
        self._today = today
        self._listings: tuple[ListedMovie, ...] | None = None
        self._cached: dict[object, Sequence[Any]] = {}
        self._lock = Lock()

    def discover(self, filters: dict[str, str]) -> dict[str, Any]:
        """Return a page of the movies that pass the filters, which have the names of TMDB's parameters."""
        page = read_page(filters.pop("page", "1"))
        key = ("discover", *sorted(filters.items()))
        return paginate(self._cache(key, lambda: self._select(filters)), page, DISCOVER_PAGE_SIZE, _result)

    def changes(self, start: str | None, end: str | None, page: str) -> dict[str, Any]:
        """Return a page of the movies that changed in a window, by default the last day.

        Each movie changes every tenth day, depending on its id.
        """
        number = read_page(page)
        last = read_date(end) if end else self.today
        first = read_date(start) if start else last - timedelta(days=1)
        if last < first:
            raise Refused(INVALID_PARAMETERS)
        if last - first > MAX_WINDOW:
            raise Refused(INVALID_WINDOW)
        last = min(last, self.today)
        days = range(first.toordinal(), last.toordinal() + 1)
        key = ("changes", first, last)
        return paginate(self._cache(key, lambda: self._changed(days)), number, CHANGES_PAGE_SIZE, _change)

    def export(self, day: date, adult: bool = False) -> bytes | None:
        """Return the export of a day, of movies for adults or of all others.

        Return None if it is not ready yet, or no longer available.
        """
        latest = self._today or (datetime.now(UTC) - EXPORT_READY).date()
        if not latest - EXPORT_KEPT <= day <= latest:
            return None
        return bytes(self._cache(("export", adult), lambda: self._render_export(adult)))

    @property
    def today(self) -> date:
        """The day that the sandbox uses as today, in UTC."""
        return self._today or datetime.now(UTC).date()

    def _cache(self, key: object, make: Callable[[], Sequence[Any]]) -> Sequence[Any]:
        with self._lock:  # routes run in threads
            if key not in self._cached:
                if len(self._cached) >= CACHED_LISTS:
                    self._cached.pop(next(iter(self._cached)))
                self._cached[key] = make()
            return self._cached[key]

    def _select(self, filters: dict[str, str]) -> Sequence[ListedMovie]:
        if self._listings is None:
            self._listings = tuple(self._movies.listings())
        sort_by = filters.get("sort_by", DEFAULT_SORT)
        name, _, order = sort_by.rpartition(".")
        if name not in SORT_KEYS or order not in ("asc", "desc"):
            raise Refused(INVALID_PARAMETERS)
        passes = build_filter(filters)
        found = [movie for movie in self._listings if passes(movie)]
        found.sort(key=lambda movie: movie.id)
        found.sort(key=SORT_KEYS[name], reverse=order == "desc")
        return found

    def _changed(self, days: range) -> Sequence[int]:
        remainders = {-day % CHANGE_EVERY_DAYS for day in days}
        return [movie_id for movie_id in self._movies.ids() if movie_id % CHANGE_EVERY_DAYS in remainders]

    def _render_export(self, adult: bool) -> bytes:
        lines = (
            encode(
                {
                    "adult": movie.adult,
                    "id": movie.id,
                    "original_title": movie.original_title,
                    "popularity": movie.popularity,
                    "video": False,
                }
            )
            for movie in self._movies.listings()
            if movie.adult == adult
        )
        return gzip.compress(b"".join(line + b"\n" for line in lines), compresslevel=1, mtime=0)


def read_page(text: str) -> int:
    """Read a page number within TMDB's bounds."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_PAGE):
        raise Refused(INVALID_PAGE)
    return int(text)


def read_date(text: str) -> date:
    """Read an ISO date."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Refused(INVALID_PARAMETERS) from error


def read_number(text: str) -> float:
    """Read a number."""
    try:
        return float(text)
    except ValueError as error:
        raise Refused(INVALID_PARAMETERS) from error


def build_filter(filters: dict[str, str]) -> Callable[[ListedMovie], bool]:
    """Return a predicate for the movies that pass the filters."""
    checks: list[Callable[[ListedMovie], bool]] = []
    for name in ("primary_release_date", "release_date"):
        if first := filters.get(f"{name}.gte"):
            earliest = read_date(first).isoformat()
            checks.append(lambda movie, earliest=earliest: movie.release_date >= earliest)  # type: ignore[misc]
        if last := filters.get(f"{name}.lte"):
            latest = read_date(last).isoformat()
            checks.append(lambda movie, latest=latest: "" < movie.release_date <= latest)  # type: ignore[misc]
    if fewest := filters.get("vote_count.gte"):
        votes = read_number(fewest)
        checks.append(lambda movie: movie.vote_count >= votes)
    if genres := filters.get("with_genres"):
        # A comma means all of them, a bar any of them.
        wanted = {int(read_number(genre)) for genre in genres.replace("|", ",").split(",")}
        if "|" in genres:
            checks.append(lambda movie: not wanted.isdisjoint(movie.genre_ids))
        else:
            checks.append(lambda movie: wanted.issubset(movie.genre_ids))
    if filters.get("include_adult", "false").lower() != "true":
        checks.append(lambda movie: not movie.adult)
    return lambda movie: all(check(movie) for check in checks)


def paginate(
    found: Sequence[Any], page: int, size: int, render: Callable[[Any], dict[str, Any]]
) -> dict[str, Any]:
    """Return a page with the totals of the list, which like TMDB's may be more than 500 pages."""
    return {
        "page": page,
        "results": [render(item) for item in found[(page - 1) * size : page * size]],
        "total_pages": -(-len(found) // size),
        "total_results": len(found),
    }


def _result(movie: ListedMovie) -> dict[str, Any]:
    return {
        "adult": movie.adult,
        "backdrop_path": None,
        "genre_ids": movie.genre_ids,
        "id": movie.id,
        "original_language": movie.original_language,
        "original_title": movie.original_title,
        "overview": "",
        "popularity": movie.popularity,
        "poster_path": None,
        "release_date": movie.release_date,
        "title": movie.title,
        "video": False,
        "vote_average": movie.vote_average,
        "vote_count": movie.vote_count,
    }


def _change(movie_id: int) -> dict[str, Any]:
    return {"id": movie_id, "adult": False}
