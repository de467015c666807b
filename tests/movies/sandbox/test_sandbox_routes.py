"""The sandbox's routes answer as TMDB's do."""

from __future__ import annotations

import gzip
import json

import httpx
import pytest

from movies.sandbox import Sandbox
from movies.sandbox.bundled_movies import Movies
from movies.sandbox.lists import Lists
from movies.sandbox.movie_catalogue import load_catalogue
from movies.sandbox.synthetic import SyntheticMovies

NOT_FOUND = {
    "success": False,
    "status_code": 34,
    "status_message": "The resource you requested could not be found.",
}
INVALID_KEY = {
    "success": False,
    "status_code": 7,
    "status_message": "Invalid API key: You must be granted a valid key.",
}
CREDITS = {"append_to_response": "credits"}


def ids(page: httpx.Response) -> list[int]:
    return [result["id"] for result in page.json()["results"]]


def test_movie_comes_with_credits_when_appended(api: httpx.Client) -> None:
    movie = api.get("/movie/597", params=CREDITS).json()
    assert (movie["id"], movie["title"], movie["revenue"]) == (597, "Titanic", 2_264_162_353)
    assert [person["name"] for person in movie["credits"]["cast"]][:2] == [
        "Leonardo DiCaprio",
        "Kate Winslet",
    ]
    assert [person["order"] for person in movie["credits"]["cast"]] == list(range(15))
    assert {
        (person["name"], person["department"])
        for person in movie["credits"]["crew"]
        if person["job"] == "Director"
    } == {("James Cameron", "Directing")}


def test_movie_comes_without_credits_when_not_appended(api: httpx.Client) -> None:
    whole = api.get("/movie/597", params=CREDITS).json()
    bare = api.get("/movie/597", params={"append_to_response": "videos"}).json()
    del whole["credits"]
    assert bare == whole


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        pytest.param("/movie/0", 404, NOT_FOUND, id="id-zero"),
        pytest.param("/movie/999999999", 404, NOT_FOUND, id="unknown-id"),
        pytest.param("/movie/597/no-such-thing", 404, NOT_FOUND, id="unknown-path"),
        pytest.param(
            "/movie/titanic",
            404,
            {
                "success": False,
                "status_code": 6,
                "status_message": "Invalid id: The pre-requisite id is invalid or not found.",
            },
            id="no-id",
        ),
        pytest.param(
            f"/movie/597?append_to_response={','.join(['credits'] * 21)}",
            400,
            {
                "success": False,
                "status_code": 27,
                "status_message": "Too many append to response objects: "
                "The maximum number of remote calls is 20.",
            },
            id="too-many-appendices",
        ),
    ],
)
def test_movie_that_cannot_be_had(api: httpx.Client, path: str, status: int, body: object) -> None:
    answer = api.get(path)
    assert (answer.status_code, answer.json()) == (status, body)


def test_id_with_words_after_it_is_the_id(api: httpx.Client) -> None:
    assert api.get("/movie/603-the-matrix").json()["title"] == "The Matrix"


@pytest.mark.parametrize("path", ["movie/597", "discover/movie", "movie/changes", "configuration"])
def test_wrong_or_missing_key_is_refused(sandbox: Sandbox, path: str) -> None:
    for options in ({}, {"params": {"api_key": "wrong"}}, {"headers": {"Authorization": "Bearer wrong"}}):
        answer = httpx.get(f"{sandbox.base_url}/{path}", trust_env=False, **options)
        assert (answer.status_code, answer.json()) == (401, INVALID_KEY)


def test_v3_key_in_the_query_is_taken(sandbox: Sandbox) -> None:
    for path in ("movie/597", "discover/movie"):
        answer = httpx.get(f"{sandbox.base_url}/{path}", params={"api_key": sandbox.key}, trust_env=False)
        assert answer.status_code == 200


def test_discover_tells_the_whole_total_on_pages_of_twenty(api: httpx.Client) -> None:
    page = api.get("/discover/movie", params={"page": "500"}).json()
    assert {name: page[name] for name in ("page", "total_pages", "total_results")} == {
        "page": 500,
        "total_pages": 1_502,
        "total_results": 30_026,  # of the catalogue's ids, 26 are above 30,000
    }
    assert len(page["results"]) == 20


@pytest.mark.parametrize("page", ["0", "501", "-1", "two", "²"])
@pytest.mark.parametrize("path", ["/discover/movie", "/movie/changes"])
def test_page_out_of_bounds_is_refused(api: httpx.Client, path: str, page: str) -> None:
    answer = api.get(path, params={"page": page})
    assert (answer.status_code, answer.json()["status_code"]) == (400, 22)


def test_page_past_the_last_is_empty(api: httpx.Client) -> None:
    filters = {"with_genres": "10752", "page": "2"}
    assert api.get("/discover/movie", params=filters).json() == {
        "page": 2,
        "results": [],
        "total_pages": 1,
        "total_results": 1,
    }


def test_discover_result_has_tmdbs_shape(api: httpx.Client) -> None:
    assert api.get("/discover/movie", params={"with_genres": "10752"}).json()["results"] == [
        {
            "adult": False,
            "backdrop_path": None,
            "genre_ids": [18, 53, 10752],
            "id": 16869,
            "original_language": "en",
            "original_title": "Inglourious Basterds",
            "overview": "",
            "popularity": 16.1,
            "poster_path": None,
            "release_date": "2009-08-02",
            "title": "Inglourious Basterds",
            "video": False,
            "vote_average": 8.2,
            "vote_count": 22600,
        }
    ]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        pytest.param(
            {"primary_release_date.gte": "2018-04-01", "primary_release_date.lte": "2018-06-30"},
            [299536, 260513, 351286],
            id="release-window",
        ),
        pytest.param({"release_date.gte": "2029-01-01"}, [216527], id="release-date"),
        pytest.param({"with_genres": "12,14,10751", "vote_count.gte": "17100"}, [109445], id="all-genres"),
        pytest.param({"with_genres": "10752|37"}, [68718, 16869, 273248], id="any-genre"),
        pytest.param({"vote_count.gte": "33000"}, [24428, 19995, 157336, 155], id="votes"),
    ],
)
def test_discover_filters(filters: dict[str, str], expected: list[int]) -> None:
    page = Lists(Movies(None, SyntheticMovies(0))).discover(filters)
    assert [result["id"] for result in page["results"]] == expected


def test_discover_sorts(api: httpx.Client) -> None:
    western = {"with_genres": "37"}
    by_date = api.get("/discover/movie", params=western | {"sort_by": "primary_release_date.asc"})
    assert ids(by_date) == [68718, 273248]
    assert ids(api.get("/discover/movie", params=western | {"sort_by": "primary_release_date.desc"})) == [
        273248,
        68718,
    ]
    assert ids(api.get("/discover/movie", params=western)) == [68718, 273248]  # most popular first
    assert api.get("/discover/movie", params={"sort_by": "luck.desc"}).json()["status_code"] == 5


def test_changes_of_a_day_are_every_tenth_id(api: httpx.Client) -> None:
    day = {"start_date": "2026-11-18", "end_date": "2026-11-18"}
    first = api.get("/movie/changes", params=day).json()
    assert (len(first["results"]), first["total_pages"]) == (100, 31)
    remainders = {result["id"] % 10 for result in first["results"]}
    assert len(remainders) == 1
    assert all(result["adult"] is False for result in first["results"])


def test_changes_are_of_yesterday_and_today_by_default(api: httpx.Client) -> None:
    window = {"start_date": "2026-11-19", "end_date": "2026-11-20"}
    assert api.get("/movie/changes").json() == api.get("/movie/changes", params=window).json()


@pytest.mark.parametrize(
    ("start", "end", "status", "code"),
    [
        pytest.param("2026-11-01", "2026-11-15", 200, None, id="fourteen-days"),
        pytest.param("2026-11-01", "2026-11-16", 422, 20, id="fifteen-days"),
        pytest.param("2026-11-05", "2026-11-01", 422, 5, id="backwards"),
        pytest.param("yesterday", "2026-11-01", 422, 5, id="no-date"),
    ],
)
def test_changes_window_is_bounded(
    api: httpx.Client, start: str, end: str, status: int, code: int | None
) -> None:
    answer = api.get("/movie/changes", params={"start_date": start, "end_date": end})
    assert (answer.status_code, answer.json().get("status_code")) == (status, code)


def test_export_lists_every_movie_without_a_key(sandbox: Sandbox) -> None:
    answer = httpx.get(f"{sandbox.exports_url}/movie_ids_11_20_2026.json.gz", trust_env=False)
    lines = [json.loads(line) for line in gzip.decompress(answer.content).splitlines()]
    assert len(lines) == 30_026
    assert next(line for line in lines if line["id"] == 129) == {
        "adult": False,
        "id": 129,
        "original_title": "千と千尋の神隠し",
        "popularity": 20.1,
        "video": False,
    }


@pytest.mark.parametrize(
    "day",
    [
        pytest.param("11_21_2026", id="tomorrow"),
        pytest.param("08_21_2026", id="too-old"),
        pytest.param("20_11_2026", id="no-date"),
    ],
)
def test_export_that_is_not_there_is_denied_as_by_an_object_store(sandbox: Sandbox, day: str) -> None:
    answer = httpx.get(f"{sandbox.exports_url}/movie_ids_{day}.json.gz", trust_env=False)
    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/xml")


def test_configuration_is_there(api: httpx.Client) -> None:
    assert set(api.get("/configuration").json()) == {"change_keys", "images"}


def test_ratings_are_in_a_file_like_imdbs_that_is_not_sent_twice(sandbox: Sandbox) -> None:
    first = httpx.get(sandbox.ratings_url, trust_env=False)
    again = httpx.get(sandbox.ratings_url, headers={"If-None-Match": first.headers["etag"]}, trust_env=False)

    header, *rows = gzip.decompress(first.content).decode().splitlines()
    assert header == "tconst\taverageRating\tnumVotes"
    assert [row.split("\t")[0] for row in rows] == sorted({row.split("\t")[0] for row in rows})
    # Avatar, with TMDB's figures: IMDb's own are not the sandbox's to give.
    movie = json.loads(load_catalogue()[19995])
    assert f"{movie['imdb_id']}\t{movie['vote_average']:.1f}\t{movie['vote_count']}" in rows
    assert (again.status_code, again.content) == (304, b"")
