"""Fetch movies with one request each; credits are appended, so no record is incomplete."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import httpx

from movies.tmdb.answers import read_movie
from movies.tmdb.client import TmdbClient
from movies.tmdb.clock import Clock
from movies.tmdb.redaction import redact
from movies.tmdb.tmdb_errors import MovieNotFoundError, RecordError, StoppedError, TransientError

WITH_CREDITS = {"append_to_response": "credits"}


@dataclass(frozen=True)
class Movie:
    """A movie's payload, verbatim; `fetched_at` is the time of its content (`tmdb.clock.Stamp`)."""

    movie_id: int
    payload: str
    fetched_at: datetime


@dataclass(frozen=True)
class Failure:
    """A movie that could not be fetched, and why; `failed_at` of "not found" is the time of that answer."""

    movie_id: int
    reason: str
    detail: str
    http_status: int | None
    attempts: int
    failed_at: datetime


async def _fetch_movie(client: TmdbClient, movie_id: int) -> Movie | Failure | None:
    """Return the movie with its credits, or why it could not be fetched; None if the run stops first.

    Its moment is by this machine's clock, which only later answers may correct.

    Raises:
        FatalError: no movie can be fetched until the user acts.
    """

    def read(response: httpx.Response, content_at: datetime) -> Movie:
        return Movie(movie_id, read_movie(movie_id, response.content, client.drift), content_at)

    try:
        return await client.get(f"movie/{movie_id}", WITH_CREDITS, read, f"movie {movie_id}")
    except StoppedError:
        return None
    except (RecordError, TransientError) as error:
        detail = redact(str(error))
        failed_at = error.content_at if isinstance(error, MovieNotFoundError) else None
        failed_at = failed_at or datetime.now(UTC)
        return Failure(movie_id, error.reason, detail, error.http_status, error.attempts, failed_at)


async def fetch_movies(
    client: TmdbClient,
    movie_ids: Iterable[int],
    on_outcome: Callable[[Movie | Failure], None] = lambda outcome: None,
) -> list[Movie | Failure]:
    """Fetch many movies at once; if the run stops, the list has only the finished ones.

    A fatal error stops the client for all callers and is stored in `client.stop`, so that movies fetched
    before it can be checkpointed.
    """

    async def fetch_one(movie_id: int) -> Movie | Failure | None:
        try:
            outcome = await _fetch_movie(client, movie_id)
            if outcome is not None:
                on_outcome(outcome)
        except Exception as error:
            # Any error is raised only after the finished movies are checkpointed.
            client.stop.set(error)
            return None
        return outcome

    tasks = [asyncio.create_task(fetch_one(movie_id)) for movie_id in movie_ids]
    try:
        outcomes = await client.stop.finish(tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        raise
    return [_dated(outcome, client.clock) for outcome in outcomes if outcome is not None]


def _dated(outcome: Movie | Failure, clock: Clock) -> Movie | Failure:
    """Return the outcome with its moment by the server's clock."""
    if isinstance(outcome, Movie):
        return replace(outcome, fetched_at=clock.correct(outcome.fetched_at))
    return replace(outcome, failed_at=clock.correct(outcome.failed_at))
