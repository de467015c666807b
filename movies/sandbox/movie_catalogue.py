"""The catalogue of real movies, as TMDB's payloads.

Names, figures and dates are facts and are stored in `movies.json`; prose and pictures are TMDB's and are left
blank. Votes and popularity are of different days. Unknown ids are replaced by ids above 90,000,000.
A person in the file is `[id, name, character, gender]` or `[id, name, job]`, the cast in order.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import msgspec

from movies.sandbox.answer_bodies import encode


def load_catalogue() -> dict[int, bytes]:
    """Return the payload of every movie by id, with credits."""
    facts = msgspec.json.decode(files(__package__).joinpath("movies.json").read_bytes())
    return {movie["id"]: encode(build_payload(movie, facts)) for movie in facts["movies"]}


def build_payload(movie: dict[str, Any], names: dict[str, Any]) -> dict[str, Any]:
    """Build a payload in TMDB's format and order of keys from a movie's facts."""
    collection = movie["collection"]
    return {
        "adult": False,
        "backdrop_path": None,
        "belongs_to_collection": collection and _collection(*collection),
        "budget": movie["budget"],
        "genres": [{"id": names["genres"][name], "name": name} for name in movie["genres"]],
        "homepage": "",
        "id": movie["id"],
        "imdb_id": movie["imdb_id"],
        "origin_country": movie["origin_country"],
        "original_language": movie["original_language"],
        "original_title": movie["original_title"],
        "overview": "",
        "popularity": movie["popularity"],
        "poster_path": None,
        "production_companies": [
            {"id": company_id, "logo_path": None, "name": name, "origin_country": country}
            for company_id, name, country in movie["companies"]
        ],
        "production_countries": [
            {"iso_3166_1": code, "name": names["countries"][code]} for code in movie["countries"]
        ],
        "release_date": movie["release_date"],
        "revenue": movie["revenue"],
        "runtime": movie["runtime"],
        "spoken_languages": [_language(code, *names["languages"][code]) for code in movie["languages"]],
        "status": movie["status"],
        "tagline": "",
        "title": movie["title"],
        "video": False,
        "vote_average": movie["vote_average"],
        "vote_count": movie["vote_count"],
        "credits": {
            "id": movie["id"],
            "cast": [build_cast(movie["id"], order, *person) for order, person in enumerate(movie["cast"])],
            "crew": [
                build_crew(movie["id"], place, person_id, name, job, names["departments"][job])
                for place, (person_id, name, job) in enumerate(movie["crew"])
            ],
        },
    }


def build_cast(
    movie_id: int, order: int, person_id: int, name: str, character: str, gender: int
) -> dict[str, Any]:
    """Build an entry of a cast."""
    return _person(person_id, name, gender, "Acting") | {
        "cast_id": order + 1,
        "character": character,
        "credit_id": f"{movie_id:016x}c{order:07x}",
        "order": order,
    }


def build_crew(
    movie_id: int, place: int, person_id: int, name: str, job: str, department: str
) -> dict[str, Any]:
    """Build an entry of a crew."""
    return _person(person_id, name, 0, department) | {
        "credit_id": f"{movie_id:016x}d{place:07x}",
        "department": department,
        "job": job,
    }


def _person(person_id: int, name: str, gender: int, department: str) -> dict[str, Any]:
    return {
        "adult": False,
        "gender": gender,
        "id": person_id,
        "known_for_department": department,
        "name": name,
        "original_name": name,
        "popularity": 0.0,
        "profile_path": None,
    }


def _collection(collection_id: int, name: str) -> dict[str, Any]:
    return {"id": collection_id, "name": name, "poster_path": None, "backdrop_path": None}


def _language(code: str, english_name: str, name: str) -> dict[str, Any]:
    return {"english_name": english_name, "iso_639_1": code, "name": name}
