"""Pages of lists as they may come: packed, with texts that are no text, and entries that are none."""

from __future__ import annotations

import gzip
import logging
from array import array

import httpx
import pytest

from movies.bounded import Limit
from movies.tmdb.client import open_client
from movies.tmdb.pace import Pace
from movies.tmdb.retry import RetryPolicy
from movies.tmdb.sources import Found, Position, build_source
from movies.tmdb.tmdb_errors import ListFailedError
from tests.movies.tmdb.sources.test_sources import Server


class Tmdb:
    """A server of which every list is one page with these bytes."""

    def __init__(self, page: bytes) -> None:
        self.page = page
        self.asked = 0

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        return httpx.Response(200, content=self.page)

    async def find(self) -> Found:
        async with open_client(
            "http://tmdb.test/3",
            pace=Pace(1000, 1),
            concurrency=1,
            policy=RetryPolicy(max_retries=1),
            transport=httpx.MockTransport(self.answer),
        ) as client:
            return await build_source("discover", {}).find(Server(client), Position())


def page(*entries: str) -> bytes:
    return f'{{"page":1,"results":[{",".join(entries)}],"total_pages":1,"total_results":1}}'.encode()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(gzip.compress(page('{"id":7}')), id="packed"),
        pytest.param(b"\xef\xbb\xbf" + page('{"id":7}'), id="byte-order-mark"),
        pytest.param(page(r'{"id":7,"title":"\ud83d"}'), id="half-a-surrogate-pair"),
        pytest.param(page('{"id":7.0}'), id="double"),
        pytest.param(page('{"id":" 7"}'), id="text"),
    ],
)
def test_a_page_is_read_as_a_movie_is(body, run_skipping):
    assert run_skipping(Tmdb(body).find()) == Found(array("q", [7]))


def test_entries_without_an_id_are_passed_over_and_counted(run_skipping, caplog):
    caplog.set_level(logging.WARNING)

    found = run_skipping(Tmdb(page('{"id":null}', "null", '{"id":7}', "{}", '{"id":"x"}')).find())

    assert found == Found(array("q", [7]))
    assert "3 entries of discover/movie have no id and are ignored" in caplog.text


def test_a_page_without_end_stops_the_run_with_its_bound(run_skipping, monkeypatch):
    monkeypatch.setattr("movies.tmdb.bodies.LARGEST_ANSWER", Limit("SMALL", 100))
    tmdb = Tmdb(page('{"id":7}') + b" " * 100)

    with pytest.raises(ListFailedError, match=r"the body has more than 100 bytes \(SMALL\)"):
        run_skipping(tmdb.find())
    assert tmdb.asked == 1
