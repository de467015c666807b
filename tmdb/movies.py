"""Whole movies, one call each: credits are appended, so that no record is half."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import httpx

from tmdb.answers import read_movie
from tmdb.client import TmdbClient
from tmdb.errors import RecordError, StoppedError, TransientError
from tmdb.redaction import redact

WITH_CREDITS = {"append_to_response": "credits"}


@dataclass(frozen=True)
class Movie:
    """A movie's payload, verbatim. It is not older than `fetched_at`, when it was asked for."""

    movie_id: int
    payload: str
    fetched_at: datetime


@dataclass(frozen=True)
class Failure:
    """A movie that could not be had, and why."""

    movie_id: int
    reason: str
    detail: str
    http_status: int | None
    attempts: int
    failed_at: datetime


async def fetch_movie(client: TmdbClient, movie_id: int) -> Movie | Failure | None:
    """Return the movie with its credits, or why it cannot be had; None where the run stops first.

    Raises:
        FatalError: no movie can be fetched before somebody mends something.
    """

    def read(response: httpx.Response, asked_at: datetime) -> Movie:
        return Movie(movie_id, read_movie(movie_id, response.content, client.drift), asked_at)

    try:
        return await client.get(f"movie/{movie_id}", WITH_CREDITS, read, f"movie {movie_id}")
    except StoppedError:
        return None
    except (RecordError, TransientError) as error:
        detail = redact(str(error))
        return Failure(movie_id, error.reason, detail, error.http_status, error.attempts, client.clock.now())


async def fetch_movies(
    client: TmdbClient,
    movie_ids: Iterable[int],
    on_outcome: Callable[[Movie | Failure], None] = lambda outcome: None,
) -> list[Movie | Failure]:
    """Fetch many movies at once; what a stop leaves undone is not in the list.

    An error that is no movie's own stops the client for everyone and is kept in `client.stop`, so that what
    came before it can be checkpointed.
    """

    async def fetch_one(movie_id: int) -> Movie | Failure | None:
        try:
            outcome = await fetch_movie(client, movie_id)
            if outcome is not None:
                on_outcome(outcome)
        except Exception as error:
            # Whatever it is, the movies at hand are to be checkpointed before anybody hears of it.
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
    return [outcome for outcome in outcomes if outcome is not None]
