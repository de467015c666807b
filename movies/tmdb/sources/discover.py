"""The source of movies that TMDB's discover finds (https://developer.themoviedb.org/reference/discover-movie)."""

from __future__ import annotations

import logging
from array import array
from datetime import date, timedelta
from itertools import chain
from typing import TYPE_CHECKING

from pydantic import ConfigDict, model_validator

from movies.tmdb.sources.source import Found, Position, Source, Tmdb
from movies.tmdb.tmdb_errors import ListFailedError
from movies.tmdb.together import together

if TYPE_CHECKING:
    from movies.tmdb.client import TmdbClient
    from movies.tmdb.pages import IdList

logger = logging.getLogger(__name__)

PATH = "discover/movie"
FIRST, LAST = "primary_release_date.gte", "primary_release_date.lte"
# TMDB ignores unknown parameters and answers with all movies, so unknown filters are rejected here.
PARAMETERS = frozenset((
    "certification", "certification.gte", "certification.lte", "certification_country", "include_adult",
    "include_video", "language", "primary_release_date.gte", "primary_release_date.lte",
    "primary_release_year", "region", "release_date.gte", "release_date.lte", "sort_by",
    "vote_average.gte", "vote_average.lte", "vote_count.gte", "vote_count.lte", "watch_region",
    "with_cast", "with_companies", "with_crew", "with_genres", "with_keywords", "with_origin_country",
    "with_original_language", "with_people", "with_release_type", "with_runtime.gte", "with_runtime.lte",
    "with_title_translation", "with_watch_monetization_types", "with_watch_providers",
    "without_companies", "without_genres", "without_keywords", "without_watch_providers", "year",
))  # fmt: skip
# Sorted by a date that seldom changes, so movies do not move between pages while these are read.
STEADY_ORDER = "primary_release_date.asc"
EARLIEST, LATEST = date(1870, 1, 1), date(2100, 12, 31)


class Discover(Source):
    """Movies that discover finds; its filters are TMDB's own parameters, except for the page.

    TMDB lists the first 10,000 movies of a result. A longer result is requested by release dates, in windows
    that are halved until each is short enough.
    """

    meaning = "what TMDB finds"

    model_config = ConfigDict(extra="allow", frozen=True)

    @model_validator(mode="after")
    def _check_parameters(self) -> Discover:
        parameters = self._parameters
        unknown = sorted(parameters.keys() - PARAMETERS)
        if unknown:
            raise ValueError(
                f"The source discover has no filter {unknown[0]!r}. Choose one of "
                f"{', '.join(sorted(PARAMETERS))}"
            )
        for name in (FIRST, LAST):
            if name in parameters:
                try:
                    date.fromisoformat(parameters[name])
                except ValueError as error:
                    raise ValueError(
                        f"The filter {name} is not a valid date. Write it like 2026-01-31"
                    ) from error
        return self

    @property
    def _parameters(self) -> dict[str, str]:
        return {name: str(value) for name, value in (self.model_extra or {}).items()}

    async def find(self, tmdb: Tmdb, position: Position) -> Found:
        """Read every page."""
        client = await tmdb.client()
        whole = await self._read(client, {})
        if whole.is_whole:
            return Found(whole.movie_ids)
        parameters = self._parameters
        first = date.fromisoformat(parameters.get(FIRST, str(EARLIEST)))
        last = date.fromisoformat(parameters.get(LAST, str(LATEST)))
        movie_ids = array("q", dict.fromkeys(await self._scan(client, first, last)))
        if len(movie_ids) < whole.total:
            logger.warning(
                "discover counts %s movies and lists %s of them. Movies without a release date cannot be in "
                "so long a list; the source export has them.",
                f"{whole.total:,}",
                f"{len(movie_ids):,}",
            )
        return Found(movie_ids)

    async def _scan(self, client: TmdbClient, first: date, last: date) -> list[int]:
        listing = await self._read(client, {FIRST: first.isoformat(), LAST: last.isoformat()})
        if listing.is_whole:
            return listing.movie_ids.tolist()
        if first == last:
            raise ListFailedError(
                f"TMDB lists 10,000 of the {listing.total:,} movies released on {first}. Narrow the filters, "
                "or use the source export"
            )
        middle = first + timedelta(days=(last - first).days // 2)
        halves = (first, middle), (middle + timedelta(days=1), last)
        return list(chain.from_iterable(await together(self._scan(client, *half) for half in halves)))

    async def _read(self, client: TmdbClient, window: dict[str, str]) -> IdList:
        from movies.tmdb.pages import read_list

        # TMDB itself leaves adult movies out unless a filter asks for them.
        params = {"sort_by": STEADY_ORDER} | self._parameters | window
        return await read_list(client, PATH, params, include_adult=True)
