"""Whole runs against a server behind a cache: newer content reaches silver, older content does not win."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from movies.lake.cursor import read_cursor
from movies.lake.tables import SILVER_MOVIES
from tests.flows.test_pipeline import counts
from tests.http_servers import Answer, http_server
from tests.movies.lake.rows import Movie, append_movies
from tests.places import Place
from tests.spark.lakes import read_payloads

pytestmark = pytest.mark.slow
INGEST = ("--stage", "ingest")
TRANSFORM = (*INGEST, "--stage", "transform")
DAY = timedelta(days=1)


class CachedServer:
    """Movies with the seconds that a cache has had each, and with how many have voted by then."""

    def __init__(self, payloads: dict[int, dict[str, Any]]) -> None:
        self.payloads = payloads
        self.ages: dict[int, int] = {}
        self.votes: dict[int, int] = {}
        self.changed: dict[str, list[int]] = {}
        self.asked: list[int] = []

    def answer(self, request: BaseHTTPRequestHandler) -> Answer:
        url = urlsplit(request.path)
        name = url.path.rsplit("/", 1)[1]
        if name == "changes":
            ids = self.changed.get(parse_qs(url.query)["start_date"][0], [])
            results = [{"id": movie_id} for movie_id in ids]
            return aged({"page": 1, "results": results, "total_pages": 1, "total_results": len(ids)}, 0)
        movie_id = int(name)
        self.asked.append(movie_id)
        votes = self.votes.get(movie_id, 1)
        return aged(self.payloads[movie_id] | {"vote_count": votes}, self.ages.get(movie_id, 0))


def aged(content: object, age: int) -> Answer:
    """An answer that a cache has had for so many seconds."""
    date = format_datetime(datetime.now(UTC) - age * timedelta(seconds=1), usegmt=True)
    headers = {"Date": date, "Content-Type": "application/json"} | ({"Age": str(age)} if age else {})
    return 200, headers, json.dumps(content).encode()


@pytest.fixture
def server(shared_data, place) -> Iterator[CachedServer]:
    texts = dict(read_payloads(shared_data / "data" / "tmdb_18_payloads.ndjson.gz"))
    payloads = {movie_id: json.loads(text) for movie_id, text in texts.items()}
    server = CachedServer(payloads)
    with http_server(server.answer) as url:
        place.environment |= {
            "TMDB_BASE_URL": f"{url}/3",
            "TMDB_API_KEY": "a-key-of-this-test",
            "LAKE_ROOT": str(place.folder / "lake"),
            "INGESTION_MOVIE_IDS": ",".join(map(str, payloads)),
        }
        yield server


def votes(place: Place) -> dict[int, int]:
    return dict(place.rows(SILVER_MOVIES, "id", "vote_count"))


def fill(place: Place, movie_id: int, at: datetime, payload: dict[str, Any]) -> None:
    append_movies(place.lake, [Movie(movie_id, at, json.dumps(payload))], place.environment["TMDB_BASE_URL"])


def test_every_update_reaches_silver_beside_answers_from_a_cache_and_older_content_never_wins(place, server):
    place.succeed(*TRANSFORM)
    old, new = list(server.payloads)[::3], [one for i, one in enumerate(server.payloads) if i % 3]
    server.ages = dict.fromkeys(old, 1300)
    server.votes = dict.fromkeys(new, 2_000) | dict.fromkeys(old, 7)

    place.succeed(*TRANSFORM, "--refresh", INGESTION_CONCURRENCY="1")

    # What the cache has is from before the first run.
    assert votes(place) == dict.fromkeys(new, 2_000) | dict.fromkeys(old, 1)


def test_a_change_is_followed_only_by_content_from_after_it(place, server):
    today = datetime.now(UTC)
    stale, fresh, *_ = server.payloads
    for movie_id in (stale, fresh):
        fill(place, movie_id, today - 3 * DAY, server.payloads[movie_id])
    yesterday = (today - DAY).date()
    server.changed[str(yesterday)] = [stale, fresh]
    # From before the end of yesterday, whatever time it is.
    server.ages = {stale: 24 * 3600 + 60}

    said = place.succeed(*INGEST, "--source", "changes")

    assert counts(said)["still outdated"] == 1
    assert read_cursor(place.lake).followed.date() == yesterday
    assert sorted(server.asked) == sorted([stale, fresh])

    server.ages, server.asked = {}, []
    said = place.succeed(*INGEST, "--source", "changes")
    assert server.asked == [stale]
    assert "still outdated" not in counts(said)
    assert read_cursor(place.lake).followed.date() == datetime.now(UTC).date()


def test_a_row_from_the_year_2119_loses_to_a_later_fetch(place, server):
    movie_id, *_ = server.payloads
    wrong = server.payloads[movie_id] | {"vote_count": 99}
    fill(place, movie_id, datetime(2119, 1, 1, tzinfo=UTC), wrong)
    server.votes = {movie_id: 100}

    said = place.succeed(*TRANSFORM, "--movie-ids", str(movie_id), "--refresh")

    assert votes(place) == {movie_id: 100}
    assert counts(said)["fetched"] == 1
