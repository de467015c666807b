"""Having the file: from a path, or from a server that is asked only for what is new there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from movies.imdb import location
from movies.imdb.imdb_errors import UnavailableError
from movies.imdb.location import check_file, obtain, shown
from tests.http_servers import Answer, http_server


class Server:
    """Gives the answers that a test has put in, the last one again and again, and notes what it was asked."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.asked: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.url = ""

    def answer(self, request: BaseHTTPRequestHandler) -> Answer:
        self.paths.append(request.path)
        self.asked.append({name.lower(): value for name, value in request.headers.items()})
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    with http_server(server.answer) as url:
        server.url = f"{url}/title.ratings.tsv.gz"
        yield server


async def get(place: str, mark: str | None = None, waits: tuple[float, ...] = ()) -> tuple[bytes, str] | None:
    async with obtain(place, mark, waits) as copy:
        return None if copy is None else (copy.path.read_bytes(), copy.mark)


async def test_a_path_is_read_where_it_is_until_it_is_touched(tmp_path: Path) -> None:
    path = tmp_path / "r.tsv"
    path.write_bytes(b"one")
    found = await get(str(path))
    assert found is not None and found[0] == b"one"
    assert await get(str(path), found[1]) is None

    facts = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1))

    changed = await get(str(path), found[1])
    assert changed is not None and changed[0] == b"two"


@pytest.mark.parametrize("make", [lambda path: None, Path.mkdir], ids=["nothing", "a-folder"])
async def test_a_path_where_there_is_no_file_is_told(make: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "r.tsv"
    make(path)
    with pytest.raises(UnavailableError, match=r"r.tsv cannot be read: "):
        check_file(str(path))
    with pytest.raises(UnavailableError, match=r"r.tsv cannot be read: "):
        await get(str(path))


@pytest.mark.parametrize(
    ("given", "mark", "asked"),
    [
        ({"ETag": '"1"', "Last-Modified": "Sun"}, 'etag "1"', {"if-none-match": '"1"'}),
        ({"Last-Modified": "Sun"}, "modified Sun", {"if-modified-since": "Sun"}),
        ({}, "", {}),
    ],
    ids=["etag", "last-modified", "neither"],
)
async def test_a_server_is_asked_whether_there_is_another_file_than_the_one_that_is_known(
    given: dict[str, str], mark: str, asked: dict[str, str], server: Server
) -> None:
    server.answers = [(200, given, b"one")]
    assert await get(server.url) == (b"one", mark)
    server.answers = [(304, {}, b"")] if mark else [(200, {}, b"one")]

    assert await get(server.url, mark) == (None if mark else (b"one", ""))

    conditions = [{name: one[name] for name in one if name.startswith("if-")} for one in server.asked]
    assert conditions == [{}, asked]
    assert {one["accept-encoding"] for one in server.asked} == {"identity"}


async def test_a_server_that_passes_over_the_question_is_not_downloaded_from_for_nothing(
    server: Server,
) -> None:
    server.answers = [(200, {"ETag": '"1"'}, b"one")]
    assert await get(server.url, 'etag "1"') is None
    assert await get(server.url, 'etag "0"') == (b"one", 'etag "1"')


@pytest.mark.parametrize(
    "first",
    [(503, {}, b""), (429, {}, b""), (200, {"Content-Length": "99"}, b"torn")],
    ids=["unavailable", "too-many", "torn"],
)
async def test_what_may_pass_is_tried_again(first: Answer, server: Server) -> None:
    server.answers = [first, (200, {}, b"one")]
    assert await get(server.url, waits=(0.0,)) == (b"one", "")


@pytest.mark.parametrize(
    ("answer", "tries", "sentence"),
    [
        ((404, {}, b"<html>"), 1, "HTTP status 404"),
        ((503, {}, b""), 3, "HTTP status 503"),
        ((304, {}, b""), 1, "HTTP status 304"),
        ((200, {"Content-Length": "99"}, b"torn"), 3, "RemoteProtocolError"),
    ],
    ids=["not-there", "unavailable", "unchanged-since-never", "torn"],
)
async def test_what_does_not_pass_is_told(answer: Answer, tries: int, sentence: str, server: Server) -> None:
    server.answers = [answer]
    with pytest.raises(UnavailableError, match=rf"title.ratings.tsv.gz could not be fetched: {sentence}"):
        await get(server.url, waits=(0.0, 0.0))
    assert len(server.asked) == tries


async def test_nobody_there_is_told(server: Server) -> None:
    with pytest.raises(UnavailableError, match=r"http://127.0.0.1:1/r could not be fetched: ConnectError"):
        await get("http://127.0.0.1:1/r")


async def test_more_than_a_file_of_ratings_can_have_is_not_downloaded(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(location, "MOST_BYTES", 1000)
    server.answers = [(200, {}, b"x" * 1001)]
    with pytest.raises(UnavailableError, match="it has over 1,000 bytes"):
        await get(server.url, waits=(0.0,))
    assert len(server.asked) == 1


async def test_a_signed_address_is_asked_whole_and_shown_without_its_query(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "movies.imdb")
    signed = f"{server.url}?sig=s3cr3t%2Bkey"
    server.answers = [(200, {}, b"one"), (503, {}, b""), (403, {}, b"")]
    assert await get(signed) == (b"one", "")

    with pytest.raises(UnavailableError) as raised:
        await get(signed, waits=(0.0,))

    assert str(raised.value) == f"{server.url}?*** could not be fetched: HTTP status 403"
    assert server.paths == [signed.removeprefix(server.url.rpartition("/")[0])] * 3
    assert [message for message in caplog.messages if "s3cr3t" in message] == []
    assert (shown(server.url), shown("/a?b")) == (server.url, "/a?b")
