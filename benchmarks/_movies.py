"""Lakes of made-up movies for benchmarks: as large as real payloads, and as hard to compress."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import WriterProperties, write_deltalake

from movies.lake.arrow import arrow_schema
from movies.lake.delta import create
from movies.lake.tables import FETCH_FAILURES, RAW_MOVIES

PROJECT_ROOT = Path(__file__).resolve().parent.parent
REAL_PAYLOADS = PROJECT_ROOT.parent / "shared" / "data" / "tmdb_18_payloads.ndjson.gz"
# TMDB's mean payload is far smaller than those of the 18 well-known movies: keep this many of their credits.
CAST, CREW = 28, 32
OVERVIEW_WORDS = 55
BATCH = 1000
FETCHED_AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def fill_lake(lake_root: str, movies: int) -> float:
    """Write that many payloads in batches, as ingestion does, and return their mean size in bytes."""
    create(FETCH_FAILURES, lake_root)
    templates, chance, total = read_templates(), random.Random(18), 0
    for first in range(1, movies + 1, BATCH):
        ids = range(first, min(first + BATCH, movies + 1))
        payloads = [json.dumps(vary(templates[n % len(templates)], n, chance)) for n in ids]
        total += sum(map(len, payloads))
        append(lake_root, list(ids), payloads, FETCHED_AT, str(first))
    return total / movies


def change_some(lake_root: str, movies: int, share: float) -> int:
    """Add new payloads with other figures for a share of the movies, and return how many."""
    templates, chance = read_templates(), random.Random(7)
    ids = sorted(chance.sample(range(1, movies + 1), max(1, round(movies * share))))
    payloads = [json.dumps(vary(templates[n % len(templates)], n, chance)) for n in ids]
    append(lake_root, ids, payloads, FETCHED_AT + dt.timedelta(days=1), "changes")
    return len(ids)


def append(lake_root: str, ids: list[int], payloads: list[str], fetched_at: dt.datetime, batch: str) -> None:
    create(RAW_MOVIES, lake_root)
    rows = [
        {"movie_id": n, "payload": payload, "fetched_at": fetched_at, "batch_id": batch, "source": "made up"}
        for n, payload in zip(ids, payloads, strict=True)
    ]
    write_deltalake(
        RAW_MOVIES.path(lake_root),
        pa.Table.from_pylist(rows, schema=arrow_schema(RAW_MOVIES)),
        mode="append",
        writer_properties=WriterProperties(compression="ZSTD"),
    )


def read_templates() -> list[dict[str, Any]]:
    """Return the 18 real payloads with shorter credits, or made-up ones if the file is missing."""
    if not REAL_PAYLOADS.exists():
        return [make_template(n) for n in range(18)]
    with gzip.open(REAL_PAYLOADS, "rt") as lines:
        templates = [json.loads(line) for line in lines]
    for movie in templates:
        people = movie["credits"]
        directors = [member for member in people["crew"] if member["job"] == "Director"]
        others = [member for member in people["crew"] if member["job"] != "Director"]
        movie["credits"] = {"cast": people["cast"][:CAST], "crew": (directors + others)[:CREW]}
    return templates


def make_template(n: int) -> dict[str, Any]:
    def person(number: int, **role: Any) -> dict[str, Any]:
        return {
            "adult": False, "gender": 2, "id": number, "known_for_department": "Acting",
            "name": f"Person {number}", "original_name": f"Person {number}", "popularity": number / 7,
            "profile_path": f"/{number:027d}.jpg", "credit_id": f"{number:024x}",
        } | role  # fmt: skip

    cast = [
        person(100 * n + place, character=f"Role {place}", cast_id=place, order=place)
        for place in range(CAST)
    ]
    crew = [
        person(100 * n + 50 + place, department="Directing", job="Writer" if place else "Director")
        for place in range(CREW)
    ]
    named = ["Drama", "Action", "Comedy", "War", "Family", "Science Fiction"]
    return {
        "adult": False, "backdrop_path": f"/{n:027d}.jpg", "budget": 50_000_000, "revenue": 150_000_000,
        "belongs_to_collection": {"id": n, "name": f"Collection {n}"} if n % 2 else None,
        "genres": [{"id": number, "name": named[(n + number) % 6]} for number in range(3)],
        "imdb_id": f"tt{n:07d}", "original_language": "en", "original_title": f"Film {n}",
        "overview": "What happens. " * 25, "popularity": 10.5 + n, "poster_path": f"/{n:027d}.jpg",
        "production_companies": [{"id": n, "name": f"Company {n}", "origin_country": "US"}] * 3,
        "production_countries": [{"iso_3166_1": "US", "name": "United States of America"}],
        "runtime": 100 + n, "spoken_languages": [{"iso_639_1": "en", "name": "English"}],
        "status": "Released", "tagline": "A line.", "title": f"Film {n}", "video": False,
        "vote_average": 6.5, "vote_count": 1000 + n, "credits": {"cast": cast, "crew": crew},
    }  # fmt: skip


def vary(movie: dict[str, Any], n: int, chance: random.Random) -> dict[str, Any]:
    """Return the movie with an id, a date, figures, people and words of its own."""
    credits = {
        role: [person | rename(chance) for person in people] for role, people in movie["credits"].items()
    }
    return movie | {
        "credits": credits,
        "overview": " ".join(chance.choices(WORDS, k=OVERVIEW_WORDS)),
        "id": n,
        "imdb_id": f"tt{n:07d}",
        "title": f"{movie['title']} {n}",
        "release_date": f"{chance.randint(1950, 2024)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
        "budget": int(movie["budget"] * chance.uniform(0.2, 1.5)),
        "revenue": int(movie["revenue"] * chance.uniform(0.1, 1.5)),
        "vote_average": round(chance.uniform(3, 9), 3),
        "popularity": round(chance.uniform(1, 90), 4),
    }


def rename(chance: random.Random) -> dict[str, Any]:
    """Return the fields that differ between people and compress badly, for another person."""
    name = PEOPLE[chance.randrange(len(PEOPLE))]
    return {
        "id": chance.randrange(5_000_000), "name": name, "original_name": name,
        "popularity": round(chance.uniform(0.1, 20), 4),
        "profile_path": f"/{chance.getrandbits(108):027x}.jpg",
        "credit_id": f"{chance.getrandbits(96):024x}",
    }  # fmt: skip


def make_words(count: int, syllables: int, chance: random.Random) -> list[str]:
    """Return made-up words that differ from each other like those of a language."""
    parts = [first + second for first in "bcdfghklmnprstvw" for second in "aeiou"]
    return ["".join(chance.choices(parts, k=chance.randint(1, syllables))) for _ in range(count)]


WORDS = make_words(20_000, 4, random.Random(1))
PEOPLE = [
    f"{first} {last}".title()
    for first, last in zip(
        make_words(60_000, 4, random.Random(2)), make_words(60_000, 4, random.Random(3)), strict=True
    )
]
