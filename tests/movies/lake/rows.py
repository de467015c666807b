"""What the committer takes, with defaults."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from movies.lake.arrow import arrow_rows
from movies.lake.commits import Appender
from movies.lake.tables import RAW_MOVIES

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@dataclass
class Movie:
    movie_id: int
    fetched_at: datetime = NOW
    payload: str = "{}"


@dataclass
class Failure:
    movie_id: int
    reason: str
    failed_at: datetime = NOW
    detail: str = ""
    http_status: int | None = 404
    attempts: int = 1


def append_movies(lake: str, movies: Sequence[Movie], source: str) -> None:
    """Commit movies of a source as an earlier run did."""
    rows = arrow_rows(RAW_MOVIES, movies, batch_id="old", source=source)
    Appender(RAW_MOVIES, lake, source).append(rows, "old")
