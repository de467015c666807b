"""The server's process lives as long as its parent wants it to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from movies.loopback import LoopbackServer, LoopbackServerError
from movies.sandbox import Sandbox, SandboxError

Wait = Callable[[Callable[[], bool]], None]
ROOT = Path(__file__).parents[3]
posix_only = pytest.mark.skipif(os.name != "posix", reason="Signals are POSIX's.")

PARENT = """
import sys
from movies.sandbox import Sandbox
sandbox = Sandbox().start()
sys.stdout.write(f"{sandbox.base_url}\\n")
sys.stdout.flush()
sys.stdin.read()
"""


def refuses(url: str) -> bool:
    address = httpx.URL(url)
    with socket.socket() as client:
        return client.connect_ex((address.host, address.port or 0)) != 0


@posix_only
@pytest.mark.parametrize("loaded", [True, False], ids=["while-serving", "while-loading"])
def test_server_ends_when_its_parent_is_killed(loaded: bool, wait_until: Wait) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        url = parent.stdout.readline().strip()
        if loaded:
            assert httpx.get(url, trust_env=False).status_code == 404
        parent.kill()
        wait_until(lambda: refuses(url))


@posix_only
def test_interrupt_does_not_end_the_server(sandbox: Sandbox, api: httpx.Client) -> None:
    assert api.get("/movie/597").status_code == 200
    for _ in range(3):
        os.kill(sandbox.pid, signal.SIGINT)
    assert api.get("/movie/597").status_code == 200
    assert sandbox.alive


def test_stop_ends_the_server_and_may_be_repeated() -> None:
    with Sandbox() as sandbox:
        url = sandbox.base_url
        assert httpx.get(url, trust_env=False).status_code == 404
        sandbox.stop()
        sandbox.stop()
    assert refuses(url)
    assert not sandbox.alive


def test_sandbox_that_was_not_started_says_so() -> None:
    with pytest.raises(SandboxError, match="has not been started"):
        _ = Sandbox().base_url


def test_sandbox_that_has_ended_says_so() -> None:
    with Sandbox() as sandbox:
        sandbox.stop()
        with pytest.raises(SandboxError, match="does not answer"):
            sandbox.stats()


def test_keys_differ_from_start_to_start() -> None:
    assert len({Sandbox().key for _ in range(3)}) == 3


def test_port_that_is_taken_is_named() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(LoopbackServerError, match=f"status 1 .* Port {port} cannot be used"):
            LoopbackServer.start("movies.sandbox.server:create_app", port=port)


def test_factory_that_is_not_there_ends_the_server_and_is_logged(tmp_path: Path, wait_until: Wait) -> None:
    log = tmp_path / "server.log"
    with LoopbackServer.start("movies.tmdb.no_such_room:create_app", log=log) as server:
        wait_until(lambda: not server.alive)
    assert "no_such_room" in log.read_text()


def test_server_that_cannot_start_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    with pytest.raises(LoopbackServerError, match="could not be started"):
        LoopbackServer.start("movies.sandbox.server:create_app")


def test_environment_is_passed_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMDB_SANDBOX_KEY", "from-the-parent")
    with LoopbackServer.start(
        "movies.sandbox.server:create_app_from_environment", env={"TMDB_SANDBOX_FAULTS": "server_error=1"}
    ) as server:
        headers = {"Authorization": "Bearer from-the-parent"}
        assert httpx.get(f"{server.url}/3/movie/597", headers=headers, trust_env=False).status_code == 500


def test_importing_the_sandbox_loads_no_server() -> None:
    script = "import sys, movies.sandbox; sys.stdout.write(' '.join(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert {"fastapi", "starlette", "uvicorn", "pydantic", "httpx"}.isdisjoint(loaded.stdout.split())


@posix_only
def test_command_line_serves_until_interrupted() -> None:
    command = [sys.executable, "-m", "movies.sandbox", "--port", "0", "--key", "k", "--faults", "hang=0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        told = dict(server.stdout.readline().strip().split("=", 1) for _ in range(3))
        try:
            movie = httpx.get(f"{told['TMDB_BASE_URL']}/movie/597", params={"api_key": "k"}, trust_env=False)
        finally:
            server.send_signal(signal.SIGINT)
    assert (movie.json()["title"], told["TMDB_API_KEY"], server.returncode) == ("Titanic", "k", 130)
    assert told["TMDB_EXPORTS_URL"].endswith("/p/exports")


def test_command_line_refuses_wrong_faults() -> None:
    command = [sys.executable, "-m", "movies.sandbox", "--faults", "sever_error=1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "sever_error" in done.stderr
