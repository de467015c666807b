"""The fetch task: a part of a batch, from TMDB into the raw tables."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.context import current_ingestion
from tmdb.client import Failure, Movie, fetch_movies

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FetchCounts:
    """What became of the movies of one task."""

    fetched: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    left: int = 0


@task(name="fetch-movies", task_run_name="batch {label}", cache_policy=NO_CACHE, persist_result=False)
async def fetch_part(label: str, batch_id: str, movie_ids: list[int]) -> FetchCounts:
    """Fetch movies and hand them to the committer; done only once their batch is committed."""
    ingestion = current_ingestion()
    client = ingestion.client
    outcomes = await fetch_movies(
        client,
        movie_ids,
        on_outcome=lambda outcome: ingestion.progress.advance(failed=_is_loss(outcome)),
    )
    movies = [outcome for outcome in outcomes if isinstance(outcome, Movie)]
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    try:
        await ingestion.committer.hand_in(ingestion.batches[batch_id], movies, failures)
    except Exception as error:
        # Without a place to put them there is no point in fetching more.
        client.stop.set(error)
        raise
    return FetchCounts(
        fetched=len(movies),
        failed=dict(Counter(failure.reason for failure in failures)),
        left=len(movie_ids) - len(outcomes),
    )


def _is_loss(outcome: Movie | Failure) -> bool:
    return isinstance(outcome, Failure) and outcome.reason != "not_found"
