"""The daily files of ids as they may come: in parts, with lines that are no movies, and without end."""

from __future__ import annotations

import gzip
import json
import logging
from array import array
from collections.abc import Iterator
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler

import httpx
import pytest

import movies.tmdb.sources.export
from flows.run_report import IngestionReport
from movies.bounded import MIB, Limit
from movies.sandbox.server import create_app
from movies.tmdb.client import open_client
from movies.tmdb.pace import Pace
from movies.tmdb.retry import RetryPolicy
from movies.tmdb.sources import Found, Position, build_source
from movies.tmdb.tmdb_errors import ListFailedError
from tests.http_servers import Answer, http_server
from tests.movies.tmdb.sources.test_sources import Server


class Files:
    """Serves the files that a test has put in, by the beginning of their names, and notes what was asked."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.url = ""

    def answer(self, request: BaseHTTPRequestHandler) -> Answer:
        name = request.path.strip("/")
        self.asked.append(name)
        body = self.files.get(name.partition("_ids_")[0])
        return (403, {}, b"") if body is None else (200, {}, body)

    async def find(self, **filters: str) -> Found:
        policy = RetryPolicy(max_retries=1, base_seconds=0.001)
        async with open_client(
            self.url, api_key="k3y", pace=Pace(1000, 1), concurrency=1, policy=policy
        ) as client:
            return await build_source("export", filters).find(Server(client, self.url), Position())


@pytest.fixture
def files() -> Iterator[Files]:
    files = Files()
    with http_server(files.answer) as files.url:
        yield files


def lines(*movie_ids: int, **more: object) -> bytes:
    return b"".join(json.dumps({"id": movie_id, **more}).encode() + b"\n" for movie_id in movie_ids)


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(gzip.compress(lines(1, 2)) + gzip.compress(lines(3)), id="members"),
        pytest.param(
            gzip.compress(lines(1)) + gzip.compress(b"") + gzip.compress(lines(2, 3)), id="empty-one"
        ),
        pytest.param(gzip.compress(lines(1, 2, 3)[:14]) + gzip.compress(lines(1, 2, 3)[14:]), id="mid-line"),
        pytest.param(gzip.compress(lines(1, 2, 3)) + bytes(512), id="padding"),
        pytest.param(gzip.compress(lines(1, 2, 3)) + b"trailer", id="garbage-behind"),
        pytest.param(gzip.compress(gzip.compress(lines(1, 2, 3))), id="packed-twice"),
        pytest.param(lines(1, 2, 3), id="not-packed"),
        pytest.param(gzip.compress(b"\xef\xbb\xbf" + lines(1, 2, 3)), id="byte-order-mark"),
        pytest.param(gzip.compress(lines(1, 2, 3).replace(b"\n", b"\r\n\r\n").rstrip()), id="windows"),
    ],
)
async def test_all_ids_of_a_file_are_read_however_it_was_put_together(file, files):
    files.files = {"movie": file}

    assert await files.find() == Found(array("q", [1, 2, 3]))


@pytest.mark.parametrize(
    "line",
    [
        b"null",
        b'"text"',
        b"text",
        b'{"id":null}',
        b'{"id":"x"}',
        b'{"popularity":1.0}',
        b'{"id":9,"popularity":null}',
        rb'{"id":9,"original_title":"\ud83d"}',
        b'{"id":9,',
        b'{"id":-9}',
        b'{"id":9223372036854775808}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
    ids=lambda line: line[:36].decode(errors="replace"),
)
async def test_a_line_that_is_no_movie_costs_that_line_and_is_counted(line, files, caplog):
    caplog.set_level(logging.INFO)
    files.files = {"movie": gzip.compress(lines(1, 2) + line + b"\n" + lines(3))}

    assert await files.find() == Found(array("q", [1, 2, 3]), refused=1)
    assert "1 lines of " in caplog.text and "are not movies and are ignored" in caplog.text


def test_the_summary_of_a_run_tells_refused_lines():
    assert [row for row in IngestionReport(refused_lines=2).rows() if row["movies"] == "lines rejected"] == [
        {"movies": "lines rejected", "count": 2, "detail": "of the list of ids; the log shows the first"}
    ]


@pytest.mark.parametrize(
    ("file", "sentence", "times"),
    [
        (b"", "0 of its 0 lines are movies", 2),
        (b"<html>\n<p>\n", "0 of its 2 lines are movies", 2),
        (gzip.compress(lines(1) + b"x\ny\n"), "1 of its 3 lines are movies", 2),
        (gzip.compress(lines(1))[:-1], "it ends in the middle", 2),
        (gzip.compress(lines(1)) + gzip.compress(lines(2))[:-1], "it ends in the middle", 2),
        (gzip.compress(bytes(64 * MIB)), r"a line of more than 1,048,576 bytes \(LONGEST_LINE\)", 1),
        (gzip.compress(lines(1) * 999), r"more than 1,000 bytes \(SMALL\)", 1),
    ],
    ids=["empty", "page", "mostly-refused", "torn", "second-torn", "no-line-end", "too-large"],
)
async def test_what_is_no_file_of_ids_stops_the_run_with_a_sentence(
    file, sentence, times, files, monkeypatch
):
    if "SMALL" in sentence:
        monkeypatch.setattr(movies.tmdb.sources.export, "LARGEST_FILE", Limit("SMALL", 1000))
    files.files = {"movie": file}

    with pytest.raises(ListFailedError, match=sentence):
        await files.find()

    assert len(files.asked) == times


async def test_movies_for_adults_come_from_a_file_of_their_own(files):
    files.files = {"movie": gzip.compress(lines(1, 2)), "adult_movie": gzip.compress(lines(3, adult=True))}

    assert await files.find() == Found(array("q", [1, 2]))
    assert await files.find(include_adult="true") == Found(array("q", [1, 2, 3]))


async def test_where_the_file_of_adult_ids_is_not_there_the_run_says_so_and_goes_on(files, caplog):
    files.files = {"movie": gzip.compress(lines(1, 2))}

    assert await files.find(include_adult="true") == Found(array("q", [1, 2]))
    assert f"There is no daily file of adult ids of {datetime.now(UTC).date()}" in caplog.text


async def test_the_sandbox_has_both_files(tmp_path):
    movies = [{"id": n, "adult": n == 2} for n in (1, 2, 3)]
    path = tmp_path / "movies.ndjson"
    path.write_text("\ufeff" + "\n".join(map(json.dumps, movies)), encoding="utf-8")
    transport = httpx.ASGITransport(create_app(payloads=path, today=date(2026, 11, 20)))
    found = {}
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.test/p/exports/") as http:
        for name in ("movie", "adult_movie"):
            answer = await http.get(f"{name}_ids_11_20_2026.json.gz")
            found[name] = [json.loads(line)["id"] for line in gzip.decompress(answer.content).splitlines()]

    assert found == {"movie": [1, 3], "adult_movie": [2]}
