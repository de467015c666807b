"""Proxies of the environment carry what goes to TMDB, and nothing that goes to this machine's own servers."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from movies.proxies import (
    GRPC_NO_PROXY,
    NO_PROXY_NAMES,
    PROXY_NAMES,
    ProxyError,
    check_proxies,
    keep_loopback_direct,
)
from movies.tmdb.client import open_client
from movies.tmdb.pace import Pace
from movies.tmdb.retry import RetryPolicy
from movies.tmdb.tmdb_errors import FatalError, TransientError

ALL_NAMES = [spelt for name in (*PROXY_NAMES, "NO_PROXY") for spelt in (name, name.lower())]
SOCKS_GREETING = b"\x05\x01\x00"


class RefusingProxy:
    """A proxy that notes what it is asked first by each connection, and hangs up.

    With `passes_on` it speaks SOCKS until it knows what the client wants.
    """

    def __init__(self) -> None:
        self.passes_on = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.asked: list[bytes] = []
        threading.Thread(target=self._refuse, daemon=True).start()

    def _refuse(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection:
                    first = connection.recv(4096)
                    self.asked.append(first.partition(b"\r\n")[0])
                    if first == SOCKS_GREETING and self.passes_on:
                        connection.sendall(b"\x05\x00")
                        connection.recv(4096)  # where to
                        connection.sendall(b"\x05\x00\x00\x01" + bytes(6))
                        self.asked.append(connection.recv(4096).partition(b"\r\n")[0])

    def environment(self, no_proxy: str = "[::1],fd00::/8,.example.org") -> dict[str, str]:
        """The variables of a machine behind it, in both spellings."""
        urls = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY"), f"http://127.0.0.1:{self.port}")
        values = urls | {"ALL_PROXY": f"socks5://127.0.0.1:{self.port}", "NO_PROXY": no_proxy}
        return {spelt: value for name, value in values.items() for spelt in (name, name.lower())}

    def close(self) -> None:
        # A thread that waits in accept() holds the socket, and is woken by a shutdown.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def proxy() -> Iterator[RefusingProxy]:
    proxy = RefusingProxy()
    yield proxy
    proxy.close()


@pytest.fixture
def behind(monkeypatch):
    """Sets the variables of proxies, and no others."""

    def set_variables(**variables: str) -> None:
        for name in (*ALL_NAMES, "no_grpc_proxy"):
            monkeypatch.setenv(name, "")  # so that what is set by the code is taken back, too
            monkeypatch.delenv(name)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_variables


@pytest.mark.parametrize(
    "excepted",
    [
        "", "*", "::1", "[::1]", "[::1]:4200", "fd00::/8", "fe80::1%eth0", "[", "a:b:c", "10.0.0.0/8",
        "host:80", ".example.org", "http://example.org", "http://[::1", "one two", "localhost, 127.0.0.1",
    ],
)  # fmt: skip
def test_every_client_can_be_made_whatever_is_excepted_from_proxies(excepted, behind):
    behind(HTTP_PROXY="http://proxy.example:8080", no_proxy=excepted)

    keep_loopback_direct()

    values = {os.environ[name] for name in NO_PROXY_NAMES}
    entries = values.pop().split(",")
    assert values == set(), "both spellings say the same"
    assert {"127.0.0.1", "localhost", "::1"} <= set(entries)
    assert len(entries) == len(set(entries))
    httpx.Client().close()


def test_what_can_be_read_stays_excepted_and_grpcs_own_list_is_kept_to(behind):
    excepted = "a.example,[fd00::1],10.0.0.0/8"
    behind(ALL_PROXY="http://proxy.example:8080", NO_PROXY=excepted, no_grpc_proxy="b.example")

    keep_loopback_direct()
    keep_loopback_direct()

    assert os.environ["NO_PROXY"] == "a.example,fd00::1,10.0.0.0/8,127.0.0.1,localhost,::1"
    assert os.environ[GRPC_NO_PROXY] == "b.example,127.0.0.1,localhost,::1"


def test_without_proxies_nothing_is_set(behind):
    behind()

    keep_loopback_direct()

    assert not {*NO_PROXY_NAMES, *PROXY_NAMES} & set(os.environ)


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://127.0.0.1", [b"GET http://tmdb.example/3/movie/1 HTTP/1.1"]),
        ("socks5://127.0.0.1", [SOCKS_GREETING, b"GET /3/movie/1 HTTP/1.1"]),
    ],
    ids=["http", "socks"],
)
async def test_tmdb_is_asked_through_the_proxy(url, asked, proxy, behind):
    behind(ALL_PROXY=f"{url}:{proxy.port}")
    proxy.passes_on = True

    with pytest.raises((FatalError, TransientError)):
        async with open_client(
            "http://tmdb.example/3", api_key=None, access_token="t", pace=Pace(40, 1), concurrency=1,
            policy=RetryPolicy(max_retries=0),
        ) as client:  # fmt: skip
            await client.get("movie/1", {}, lambda response, asked_at: response, "movie 1")

    assert proxy.asked == asked


async def test_prefects_client_reaches_a_server_on_loopback_directly(proxy, behind):
    behind(**proxy.environment())
    keep_loopback_direct()

    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        async with get_client() as client:
            failure = await client.api_healthcheck()

    assert (type(failure), proxy.asked) == (httpx.ConnectError, [])


@pytest.mark.parametrize("url", ["socks://127.0.0.1:1080/", "ftp://proxy.example"])
def test_a_proxy_that_no_client_can_use_is_one_sentence(url, behind):
    behind(all_proxy=url)

    with pytest.raises(ProxyError) as raised:
        check_proxies()

    kind = url.partition("//")[0]
    assert str(raised.value) == (
        f"all_proxy names a proxy of the kind {kind}//, which is not supported. Write http://, https:// or "
        "socks5:// instead, or unset it"
    )
