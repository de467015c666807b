"""What the committer takes, with defaults."""

from dataclasses import dataclass
from datetime import UTC, datetime

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
