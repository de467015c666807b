"""Servers that are away, slow, someone else's or too generous."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import movies.tmdb.client
from movies.lake.tables import FETCH_FAILURES, RAW_MOVIES
from movies.sandbox import Sandbox
from movies.tmdb.client import open_client
from movies.tmdb.movie_answers import Failure, Movie, fetch_movies
from movies.tmdb.pace import Pace
from movies.tmdb.retry import RetryPolicy
from tests.flows.test_faults import QUICK, ids
from tests.places import await_requests

pytestmark = pytest.mark.chaos

KEY = "a-key-that-must-not-leave"
LARGE = 10_000_000


def test_a_server_that_goes_and_comes_back_costs_no_movie_and_no_second_run(served):
    place, sandbox = served(synthetic=200, payload_bytes=4096, faults={"latency_ms": 5})
    log = place.folder / "output" / "logs" / "project.log"

    process = place.start("--stage", "ingest", "--movie-ids", ids(200), INGESTION_MAX_RETRIES="1")
    await_requests(sandbox, 60, process)
    sandbox.stop()
    # All wait together, and one asks every few seconds. An outage of minutes is tested where no time passes.
    while log.read_text().count("ConnectError: All connection attempts failed; next try in") < 4:
        assert process.poll() is None
        time.sleep(0.05)
    _, again = served(
        synthetic=200, payload_bytes=4096, key=sandbox.key, port=urlsplit(sandbox.base_url).port
    )
    _, error = process.communicate(timeout=120)

    assert (process.returncode, error) == (0, "")
    assert place.movie_ids() == list(range(1, 201))
    assert place.rows(FETCH_FAILURES, "movie_id") == []
    assert again.stats()["requests"] >= 1


async def test_a_body_that_never_ends_is_given_up_and_takes_no_other_movie_with_it(monkeypatch):
    # Each byte comes within the time-out of a read; 60 seconds are too long for a test.
    monkeypatch.setattr(movies.tmdb.client, "MAX_ANSWER_SECONDS", 0.5)
    faults = {"by_movie": {3: "drip"}}
    with Sandbox(synthetic=9, payload_bytes=4096, faults=faults) as sandbox:
        sandbox.stats()  # it has loaded
        async with open_client(
            sandbox.base_url,
            api_key=sandbox.key,
            pace=Pace(1000, 5),
            concurrency=5,
            policy=RetryPolicy(max_retries=1),
        ) as client:
            outcomes = await fetch_movies(client, range(1, 10))

        [failure] = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
        assert failure == Failure(3, "exhausted_retries", "TimeoutError", None, 2, failure.failed_at)
        assert [outcome.movie_id for outcome in outcomes if isinstance(outcome, Movie)] == [
            1,
            2,
            *range(4, 10),
        ]
        assert client.stop.reason is None
        assert sandbox.stats()["by_movie"]["3"] == 2


def test_payloads_of_ten_megabytes_are_kept_verbatim(served):
    place, sandbox = served(synthetic=3, payload_bytes=LARGE)
    movies = {movie_id: ask_for(sandbox, movie_id) for movie_id in (1, 2, 3)}
    assert min(len(payload) for payload in movies.values()) > 0.9 * LARGE

    place.succeed("--stage", "ingest", "--movie-ids", ids(3))

    kept = place.rows(RAW_MOVIES, "movie_id", "payload")
    assert [(movie_id, payload == movies[movie_id]) for movie_id, payload in kept] == [
        (1, True),
        (2, True),
        (3, True),
    ]


def ask_for(sandbox: Sandbox, movie_id: int) -> str:
    answer = httpx.get(
        f"{sandbox.base_url}/movie/{movie_id}?append_to_response=credits",
        headers={"Authorization": f"Bearer {sandbox.key}"},
        timeout=120,
        trust_env=False,
    )
    return answer.content.decode()


def test_a_redirect_to_another_host_is_recorded_and_the_key_does_not_follow_it(served):
    with Sandbox(synthetic=20) as elsewhere:
        faults = {"by_movie": {3: "redirect"}, "redirect_to": elsewhere.base_url.removesuffix("/3")}
        place, _ = served(synthetic=20, faults=faults)

        done = place.run("--stage", "ingest", "--movie-ids", ids(20), **QUICK)

        assert done.returncode == 1
        assert "1 unexpected_status" in done.stderr and "Traceback" not in done.stderr
        assert place.movie_ids() == [1, 2, *range(4, 21)]
        assert place.rows(FETCH_FAILURES, "movie_id", "reason", "http_status", "attempts") == [
            (3, "unexpected_status", 302, 1)
        ]
        assert elsewhere.stats()["requests"] == 0


class TlsServer:
    """Answers 404 over TLS, and keeps what it was sent behind the handshake."""

    def __init__(self, certificate: Path, host: str) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._listener = socket.create_server((host, 0))
        self.url = f"https://{host}:{self._listener.getsockname()[1]}/3"
        self.connections = 0
        self.received = b""
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:  # closed
                return
            self.connections += 1
            try:
                with plain, self._context.wrap_socket(plain, server_side=True) as connection:
                    self.received += connection.recv(65536)
                    connection.sendall(
                        b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 18\r\n\r\n"
                        b'{"status_code":34}'
                    )
            except OSError:
                pass  # the client has hung up

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[Callable[..., TlsServer]]:
    """Starts servers with a certificate of their own, for an address and so many days."""
    servers: list[TlsServer] = []

    def start(host: str, *, issued_to: str, days: int) -> TlsServer:
        servers.append(TlsServer(make_certificate(tmp_path / "certificate.pem", issued_to, days), host))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def make_certificate(path: Path, issued_to: str, days: int) -> Path:
    """A self-signed certificate and its key; with fewer than no days it has expired."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sandbox")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(issued_to))]), False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(pem)
    )
    return path


# 127.0.0.2 is a loopback address for which the environment's authorities count, as they do for TMDB.
@pytest.mark.parametrize(
    ("is_known", "issued_to", "days", "why"),
    [
        pytest.param(False, "127.0.0.2", 30, "self-signed certificate", id="unknown-authority"),
        pytest.param(True, "127.0.0.3", 30, "IP address mismatch", id="another-host"),
        pytest.param(True, "127.0.0.2", -1, "certificate has expired", id="expired"),
    ],
)
def test_a_certificate_that_does_not_match_ends_the_run_before_the_key_is_sent(
    is_known, issued_to, days, why, tls_server, place, tmp_path
):
    server = tls_server("127.0.0.2", issued_to=issued_to, days=days)
    if is_known:
        place.environment["SSL_CERT_FILE"] = str(tmp_path / "certificate.pem")

    done = place.run(
        "--stage", "ingest", "--movie-ids", ids(200), TMDB_BASE_URL=server.url, TMDB_API_KEY=KEY, **QUICK
    )

    assert done.returncode == 1
    assert "certificate of 127.0.0.2 cannot be trusted" in done.stderr and why in done.stderr
    assert done.stderr.count("\n") == 1
    assert 1 <= server.connections <= int(QUICK["INGESTION_CONCURRENCY"])
    assert server.received == b""


def test_a_certificate_that_matches_is_trusted(tls_server, place, tmp_path):
    server = tls_server("127.0.0.2", issued_to="127.0.0.2", days=30)
    place.environment |= {
        "SSL_CERT_FILE": str(tmp_path / "certificate.pem"),
        "LAKE_ROOT": str(tmp_path / "lake"),
    }

    place.succeed("--stage", "ingest", "--movie-ids", "1", TMDB_BASE_URL=server.url, TMDB_API_KEY=KEY)

    assert KEY.encode() in server.received
    assert place.rows(FETCH_FAILURES, "movie_id", "reason") == [(1, "not_found")]
