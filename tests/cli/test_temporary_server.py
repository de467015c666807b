"""A run goes on where Prefect's home or its database cannot be used, and says so."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

import cli.temporary_server
from cli.temporary_server import DATABASE, DATABASE_SETTINGS, PrefectApiError, TemporaryServer
from tests.places import Place

TEMPORARY = (
    "Prefect's database in {home} cannot be used ({reason}): Prefect's record of this run is temporary."
)
OTHER_VERSION = "another version of Prefect has changed it"


@pytest.fixture
def start(tmp_path, monkeypatch) -> Iterator[Callable[[Path], TemporaryServer]]:
    """Starts a server that refuses any database but one of its own."""
    monkeypatch.setattr(cli.temporary_server, "API_FACTORY", "tests.flows.prefect_stand_in:create_app")
    for name in (*DATABASE_SETTINGS, "PREFECT_HOME", "PREFECT_PROFILES_PATH"):
        monkeypatch.setenv(name, "")  # so that what the server sets is taken back
        monkeypatch.delenv(name)
    servers: list[TemporaryServer] = []

    def start_server(home: Path) -> TemporaryServer:
        server = TemporaryServer(home, home / "profiles.toml")
        servers.append(server)
        return server

    yield start_server
    for server in servers:
        server.stop()


def is_healthy(server: TemporaryServer) -> bool:
    with urlopen(f"{server.api_url}/health", timeout=10) as answer:
        return bool(answer.status == 200)


def test_a_database_of_another_version_is_done_without_at_the_same_address(start, tmp_path):
    said: list[str] = []
    server = start(tmp_path)
    url = server.api_url

    server.await_answer(said.append)

    assert (server.api_url, is_healthy(server)) == (url, True)
    assert said == [TEMPORARY.format(home=tmp_path, reason=OTHER_VERSION)]


def test_a_database_that_another_process_has_locked_is_done_without(start, tmp_path, monkeypatch):
    monkeypatch.setattr(cli.temporary_server, "LOCK_SECONDS", 0.0)
    said: list[str] = []
    with closing(sqlite3.connect(tmp_path / DATABASE, isolation_level=None)) as other:
        other.execute("CREATE TABLE t (a)")
        other.execute("BEGIN IMMEDIATE")
        server = start(tmp_path)
        server.await_answer(said.append)

        assert is_healthy(server)
    assert said == [TEMPORARY.format(home=tmp_path, reason="database is locked")]


def test_a_damaged_database_and_a_home_that_is_none_are_done_without(start, tmp_path):
    (tmp_path / DATABASE).write_bytes(b"no database at all" * 100)
    damaged, no_home = start(tmp_path), start(tmp_path / DATABASE / "home")

    for server, home, reason in (
        (damaged, tmp_path, "file is not a database"),
        (no_home, tmp_path / DATABASE / "home", "Not a directory"),
    ):
        said: list[str] = []
        server.await_answer(said.append)
        assert said == [TEMPORARY.format(home=home, reason=reason)]


def test_a_server_that_never_starts_is_one_sentence_with_advice(start, tmp_path, monkeypatch):
    monkeypatch.setenv("BROKEN", "1")
    server = start(tmp_path)

    with pytest.raises(PrefectApiError) as raised:
        server.await_answer(lambda _: None)

    assert str(raised.value) == (
        f"Prefect's temporary server does not start: {OTHER_VERSION}. Set PREFECT_HOME to an empty folder, "
        "or start a server with `prefect server start` and set PREFECT_API_URL"
    )


def test_nothing_is_left_of_a_server_and_its_database(start, tmp_path):
    server = start(tmp_path)
    server.await_answer(lambda _: None)
    folder, pid = server._folder, server._running.pid
    assert folder.exists()

    server.stop()

    assert (folder.exists(), psutil.pid_exists(pid)) == (False, False)


@pytest.mark.slow
def test_a_whole_run_goes_on_with_a_database_that_another_version_has_changed(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    with closing(sqlite3.connect(home / DATABASE)) as database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        database.execute("INSERT INTO alembic_version VALUES ('0123456789ab')")
        database.commit()
    place = Place(tmp_path, {"PREFECT_HOME": str(home)})

    said = place.succeed("--stage", "ingest", "--movie-ids", "597")

    assert TEMPORARY.format(home=home, reason=OTHER_VERSION) in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("environment", "profiles", "status", "told"),
    [
        pytest.param(
            {"PREFECT_API_URL": "http://127.0.0.1:9/api"},
            "",
            1,
            "Error: Prefect's API at http://127.0.0.1:9/api does not answer (ConnectError: All connection "
            "attempts failed). Start that server, set PREFECT_API_URL to another one, or unset it to "
            "run with a temporary one\n",
            id="dead-port",
        ),
        pytest.param(
            {},
            "not [ toml",
            2,
            "Error: Prefect's profiles in {home}/profiles.toml cannot be read: Expected '=' after a key in a "
            "key/value pair (at line 1, column 5). Correct the file, or delete it to run with a "
            "temporary server\n",
            id="broken-profiles",
        ),
        pytest.param(
            {"PREFECT_LOGGING_LEVEL": "FOO", "PREFECT_API_URL": "http://127.0.0.1:9/api"},
            "",
            2,
            "Error: Prefect's settings cannot be used: level Input should be 'DEBUG', 'INFO', 'WARNING', "
            "'ERROR' or 'CRITICAL'. Correct the PREFECT_ variable, or the profile in {home}/profiles.toml, "
            "that says so\n",
            id="bad-setting",
        ),
    ],
)
def test_prefect_settings_that_cannot_be_used_are_one_sentence(environment, profiles, status, told, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    if profiles:
        (home / "profiles.toml").write_text(profiles)

    done = Place(tmp_path, {"PREFECT_HOME": str(home)} | environment).run("--movie-ids", "597")

    assert (done.returncode, done.stderr) == (status, told.format(home=home))
