"""What the sandbox serves: true facts without prose, given payloads verbatim, made-up movies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from movies.sandbox import Sandbox
from movies.sandbox.bundled_movies import Movies, load_payloads
from movies.sandbox.movie_catalogue import load_catalogue
from movies.sandbox.synthetic import SyntheticMovies
from movies.settings import DEFAULT_MOVIE_IDS
from tests.movies.sandbox.conftest import connect

LONGEST_NAME = 90


@pytest.fixture(scope="module")
def catalogue() -> dict[int, dict[str, Any]]:
    return {movie_id: json.loads(payload) for movie_id, payload in load_catalogue().items()}


def texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for item in value.values():
                yield from texts(item)
        case list():
            for item in value:
                yield from texts(item)


def shape(payload: dict[str, Any]) -> dict[str, list[str]]:
    """The keys of a payload and of the first entry of each of its lists."""
    parts = {"movie": payload, "cast": payload["credits"]["cast"], "crew": payload["credits"]["crew"]}
    parts |= {name: payload[name] for name in ("genres", "production_companies", "spoken_languages")}
    parts |= {name: payload[name] for name in ("production_countries", "belongs_to_collection", "credits")}
    return {name: list(part[0] if isinstance(part, list) else part) for name, part in parts.items()}


def test_default_movies_are_there_except_the_one_that_does_not_exist(
    catalogue: dict[int, dict[str, Any]],
) -> None:
    assert [movie_id for movie_id in DEFAULT_MOVIE_IDS if movie_id not in catalogue] == [0]


def test_payloads_have_the_keys_of_real_ones(
    catalogue: dict[int, dict[str, Any]], real_payloads: list[bytes]
) -> None:
    real = next(movie for movie in map(json.loads, real_payloads) if movie["belongs_to_collection"])
    assert shape(catalogue[real["id"]]) == shape(real)
    assert {tuple(payload) for payload in catalogue.values()} == {tuple(real)}
    made_up = SyntheticMovies(100)
    assert shape(json.loads(made_up.payload(48))) == shape(real)


def test_facts_of_the_default_movies_are_the_real_ones(
    catalogue: dict[int, dict[str, Any]], real_payloads: list[bytes]
) -> None:
    facts = ("title", "release_date", "runtime", "budget", "revenue", "genres", "vote_average", "vote_count")
    for real in map(json.loads, real_payloads):
        ours = catalogue[real["id"]]
        assert {name: ours[name] for name in facts} == {name: real[name] for name in facts}
        directors = [person["name"] for person in real["credits"]["crew"] if person["job"] == "Director"]
        assert [p["name"] for p in ours["credits"]["crew"] if p["job"] == "Director"] == directors


def test_no_prose_and_no_pictures(catalogue: dict[int, dict[str, Any]]) -> None:
    made_up = [json.loads(SyntheticMovies(5).payload(movie_id)) for movie_id in range(1, 6)]
    for movie in [*catalogue.values(), *made_up]:
        assert (movie["overview"], movie["tagline"], movie["homepage"]) == ("", "", "")
        assert (movie["poster_path"], movie["backdrop_path"]) == (None, None)
        assert max(map(len, texts(movie))) <= LONGEST_NAME


def test_searches_of_the_contract_find_their_movies(catalogue: dict[int, dict[str, Any]]) -> None:
    def names(movie: dict[str, Any], part: str, job: str | None = None) -> set[str]:
        people = movie["credits"][part]
        return {person["name"] for person in people if job is None or person["job"] == job}

    def genres(movie: dict[str, Any]) -> set[str]:
        return {genre["name"] for genre in movie["genres"]}

    assert {
        movie["title"]
        for movie in catalogue.values()
        if "Bruce Willis" in names(movie, "cast") and {"Science Fiction", "Action"} <= genres(movie)
    } == {"The Fifth Element", "Armageddon", "Surrogates", "Looper", "G.I. Joe: Retaliation"}
    assert {
        movie["title"]
        for movie in catalogue.values()
        if "Uma Thurman" in names(movie, "cast") and "Quentin Tarantino" in names(movie, "crew", "Director")
    } == {"Pulp Fiction", "Kill Bill: Vol. 1", "Kill Bill: Vol. 2"}


def test_catalogue_holds_the_odd_kinds(catalogue: dict[int, dict[str, Any]]) -> None:
    assert catalogue[216527]["status"] == "In Production"
    assert catalogue[127918]["budget"] == 0
    assert catalogue[50321]["budget"] > 3 * catalogue[50321]["revenue"]
    directors = [p["name"] for p in catalogue[603]["credits"]["crew"] if p["job"] == "Director"]
    assert directors == ["Lana Wachowski", "Lilly Wachowski"]
    assert (catalogue[496243]["original_language"], catalogue[496243]["original_title"]) == ("ko", "기생충")
    bare = catalogue[371085]
    assert (bare["genres"], bare["credits"]["cast"], bare["credits"]["crew"]) == ([], [], [])


def test_given_payloads_are_served_verbatim_and_alone(
    real_payload_file: Path, real_payloads: list[bytes]
) -> None:
    with Sandbox(payloads=real_payload_file) as sandbox, connect(sandbox) as client:
        for payload in real_payloads[:3]:
            url = f"/movie/{json.loads(payload)['id']}?append_to_response=credits"
            assert client.get(url).content == payload
        assert client.get("/movie/680").status_code == 404


def test_given_payloads_may_be_odd(tmp_path: Path) -> None:
    lines = ['{"id": "7", "title": null}', "", '{"id": 8, "popularity": Infinity, "genres": "none"}']
    path = tmp_path / "payloads.ndjson"
    path.write_text("\n".join(lines))
    movies = Movies(path, SyntheticMovies(0))
    assert (movies.payload(7), movies.payload(8)) == (lines[0].encode(), lines[2].encode())
    assert [(movie.id, movie.title, movie.popularity) for movie in movies.listings()] == [
        (7, "", 0),
        (8, "", 0),
    ]


@pytest.mark.parametrize("line", ["{", "[]", '{"title": "No id"}', '{"id": "word"}'])
def test_given_line_without_an_id_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "payloads.ndjson"
    path.write_text(f'{{"id": 1}}\n{line}\n')
    with pytest.raises(ValueError, match=r"payloads\.ndjson, line 2: not a JSON object with an id"):
        load_payloads(path)


def test_made_up_movies_are_the_same_at_every_start() -> None:
    assert SyntheticMovies(10).payload(3) == SyntheticMovies(1_000).payload(3)


@pytest.mark.parametrize("payload_bytes", [4_096, 17_000, 140_000])
def test_made_up_payload_has_about_the_size_asked_for(payload_bytes: int) -> None:
    movies = SyntheticMovies(100, payload_bytes)
    assert all(
        payload_bytes - 400 < len(movies.payload(movie_id)) < payload_bytes + 100 for movie_id in movies.ids
    )


def test_made_up_payload_carries_its_own_values() -> None:
    movies = SyntheticMovies(1_000)
    payload, facts = json.loads(movies.payload(340)), movies.facts(340)
    assert {name: payload[name] for name in facts._fields} == pytest.approx(facts._asdict(), abs=0.0005)
    assert (payload["credits"]["id"], payload["budget"]) == (340, 0)
    assert tuple(genre["id"] for genre in payload["genres"]) == movies.genre_ids(340)
    assert payload["original_language"] == movies.language(340)


def test_catalogue_wins_over_made_up_movies() -> None:
    movies = Movies(None, SyntheticMovies(20))
    assert json.loads(movies.payload(13) or b"")["title"] == "Forrest Gump"
    assert json.loads(movies.payload(14) or b"")["title"] == movies_title(14)
    assert movies.payload(21) is None
    assert sorted(movie_id for movie_id in movies.ids() if movie_id <= 20) == list(range(1, 21))


def movies_title(movie_id: int) -> str:
    return SyntheticMovies(movie_id).facts(movie_id).title
