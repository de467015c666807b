"""The movies that one sandbox serves: the catalogue or given payloads, and made-up ones.

Given payloads are read by the standard library, which accepts invalid values of tests, such as `Infinity`.
"""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from movies.bounded import BOM
from movies.sandbox.answer_bodies import encode
from movies.sandbox.movie_catalogue import load_catalogue
from movies.sandbox.synthetic import SyntheticMovies


class ListedMovie(NamedTuple):
    """A movie as lists show it."""

    id: int
    title: str
    original_title: str
    original_language: str
    release_date: str
    genre_ids: tuple[int, ...]
    popularity: float
    vote_average: float
    vote_count: int
    revenue: int
    adult: bool


class Movies:
    """Payloads by id. A movie that is both given and made up is the given one."""

    def __init__(self, payloads: Path | None, synthetic: SyntheticMovies) -> None:
        self._given = load_payloads(payloads) if payloads else load_catalogue()
        self._synthetic = synthetic

    def payload(self, movie_id: int) -> bytes | None:
        """Return the payload with credits, or None if there is no such movie."""
        payload = self._given.get(movie_id)
        if payload is None and movie_id in self._synthetic.ids:
            return self._synthetic.payload(movie_id)
        return payload

    @property
    def given(self) -> Mapping[int, bytes]:
        """The given payloads, or those of the catalogue, by id."""
        return self._given

    def ids(self) -> Iterator[int]:
        """Yield all ids."""
        yield from self._given
        yield from (movie_id for movie_id in self._synthetic.ids if movie_id not in self._given)

    def listings(self) -> Iterator[ListedMovie]:
        """Yield all movies as lists show them."""
        for movie_id, payload in self._given.items():
            yield _list_payload(movie_id, payload)
        for movie_id in self._synthetic.ids:
            if movie_id not in self._given:
                yield _list_synthetic(self._synthetic, movie_id)


def load_payloads(path: Path) -> dict[int, bytes]:
    """Read payload lines, verbatim, by their ids (a number, or a number as text).

    Raises:
        ValueError: a line is not a JSON object with an id.
    """
    payloads = {}
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            payload = line.removeprefix(BOM).strip()
            if not payload:
                continue
            try:
                payloads[int(json.loads(payload)["id"])] = payload
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{path}, line {number}: not a JSON object with an id") from error
    return payloads


def without_credits(payload: bytes) -> bytes:
    """Return the payload without credits, as TMDB sends it by default."""
    values = json.loads(payload)
    values.pop("credits", None)
    return encode(values)


def with_id(payload: bytes, movie_id: int) -> bytes:
    """Return the payload with another id."""
    return encode(json.loads(payload) | {"id": movie_id})


def _list_payload(movie_id: int, payload: bytes) -> ListedMovie:
    values = json.loads(payload)
    genres = values.get("genres")
    return ListedMovie(
        id=movie_id,
        title=_text(values, "title"),
        original_title=_text(values, "original_title"),
        original_language=_text(values, "original_language"),
        release_date=_text(values, "release_date"),
        genre_ids=tuple(genre["id"] for genre in genres if isinstance(genre, dict) and "id" in genre)
        if isinstance(genres, list)
        else (),
        popularity=_number(values, "popularity"),
        vote_average=_number(values, "vote_average"),
        vote_count=int(_number(values, "vote_count")),
        revenue=int(_number(values, "revenue")),
        adult=values.get("adult") is True,
    )


def _list_synthetic(movies: SyntheticMovies, movie_id: int) -> ListedMovie:
    facts = movies.facts(movie_id)
    return ListedMovie(
        id=movie_id,
        title=facts.title,
        original_title=facts.title,
        original_language=movies.language(movie_id),
        release_date=facts.release_date,
        genre_ids=movies.genre_ids(movie_id),
        popularity=round(facts.popularity, 3),
        vote_average=round(facts.vote_average, 3),
        vote_count=facts.vote_count,
        revenue=facts.revenue,
        adult=False,
    )


def _text(values: dict[str, Any], name: str) -> str:
    value = values.get(name)
    return value if isinstance(value, str) else ""


def _number(values: dict[str, Any], name: str) -> float:
    value = values.get(name)
    return value if isinstance(value, int | float) and math.isfinite(value) else 0
