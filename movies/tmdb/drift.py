"""Drift: fields of payloads that differ from TMDB's documentation. They are reported, not rejected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

STRING, NUMBER, BOOLEAN, OBJECT, LIST, NULL = "string", "number", "boolean", "object", "list", "null"
# https://developer.themoviedb.org/reference/movie-details, with credits appended. Anything may be null.
FIELDS = {
    "adult": BOOLEAN,
    "backdrop_path": STRING,
    "belongs_to_collection": OBJECT,
    "budget": NUMBER,
    "credits": OBJECT,
    "genres": LIST,
    "homepage": STRING,
    "id": NUMBER,
    "imdb_id": STRING,
    "origin_country": LIST,
    "original_language": STRING,
    "original_title": STRING,
    "overview": STRING,
    "popularity": NUMBER,
    "poster_path": STRING,
    "production_companies": LIST,
    "production_countries": LIST,
    "release_date": STRING,
    "revenue": NUMBER,
    "runtime": NUMBER,
    "softcore": BOOLEAN,
    "spoken_languages": LIST,
    "status": STRING,
    "tagline": STRING,
    "title": STRING,
    "video": BOOLEAN,
    "vote_average": NUMBER,
    "vote_count": NUMBER,
}
KINDS = {
    ord('"'): STRING,
    ord("{"): OBJECT,
    ord("["): LIST,
    ord("t"): BOOLEAN,
    ord("f"): BOOLEAN,
    ord("n"): NULL,
}
# More different keys than this cannot be a change of the schema.
MOST_FINDINGS = 100


@dataclass
class FieldDrift:
    """A field that is new, or whose values have another type than documented."""

    field: str
    expected: str
    found: str
    movies: int
    first_movie_id: int


class Drift:
    """Counts unknown top-level keys and values of other types over the payloads of one run."""

    def __init__(self) -> None:
        self._findings: dict[tuple[str, str], FieldDrift] = {}

    @property
    def findings(self) -> list[FieldDrift]:
        """The differences, most frequent first."""
        return sorted(self._findings.values(), key=lambda finding: (-finding.movies, finding.field))

    def observe(self, movie_id: int, fields: Mapping[str, msgspec.Raw]) -> None:
        """Check the top level of one payload; the first byte of a value shows its type."""
        for name, value in fields.items():
            kind = KINDS.get(memoryview(value)[0], NUMBER)
            expected = FIELDS.get(name)
            if kind == expected or (kind == NULL and expected is not None):
                continue
            finding = self._findings.get((name, kind))
            if finding is not None:
                finding.movies += 1
            elif len(self._findings) < MOST_FINDINGS:
                self._findings[name, kind] = FieldDrift(name, expected or "no such key", kind, 1, movie_id)
