"""Runs of the command line as a user has them: processes, over real sockets."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from movies.lake.all_tables import TABLES
from movies.lake.delta import create, read
from movies.lake.table import Table
from movies.lake.tables import RAW_MOVIES
from movies.sandbox import Sandbox
from tests.movies.lake.small_lake import make_lake
from tests.prefect_servers import prefect_server

PROJECT_ROOT = Path(__file__).parents[1]
MAIN = PROJECT_ROOT / "flows" / "main.py"
RUN_SECONDS = 120.0
# Neither the settings of whoever runs the tests nor a server they have; and bytecode is kept, since so many
# processes import the same.
FOREIGN = (
    "TMDB_",
    "INGESTION_",
    "IMDB_",
    "SPARK_",
    "PREFECT_",
    "LAKE_ROOT",
    "OUTPUT_DIR",
    "PYTHONDONTWRITEBYTECODE",
)


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}


@pytest.fixture
def no_settings(tmp_path, monkeypatch) -> Path:
    """An empty folder that this process works in, without settings of its own."""
    more = ("AWS_", "COLUMNS", "DATA_", "JOB_NETWORK", "NOTIFICATION", "OBJECT_STORE", "PLOT_THEME")
    for name in [name for name in os.environ if name.startswith((*FOREIGN, *more))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sorted_rows(table: Table, lake: str, *columns: str) -> list[Any]:
    """A table's rows, or one column's values, sorted."""
    found = read(table, lake)
    assert found is not None, f"there is no {table.name}"
    values = [found.column(column).to_pylist() for column in columns]
    return sorted(values[0] if len(values) == 1 else zip(*values, strict=True))


@dataclass
class Place:
    """A folder to run in, with settings of its own."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = (sys.executable, str(MAIN))

    @property
    def lake(self) -> str:
        return self.environment.get("LAKE_ROOT", str(self.folder / "data" / "sandbox"))

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start a run of `flows/main.py`, or of another command that does the same."""
        return subprocess.Popen(
            [*self.command, *arguments],
            cwd=self.folder,
            env=clean_environment() | self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `flows/main.py` to its end."""
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=RUN_SECONDS)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def python(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run Python to its end, with arguments such as `-m cli status`."""
        return replace(self, command=(sys.executable,)).run(*arguments, **environment)

    def succeed(self, *arguments: str, **environment: str) -> str:
        """Run it, expecting success and silence about errors; return what it said."""
        done = self.run(*arguments, **environment)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        return done.stdout

    def serve_from(self, sandbox: Sandbox) -> None:
        """Have runs ask this server, for a lake in the folder."""
        self.environment |= {
            "TMDB_BASE_URL": sandbox.base_url,
            "TMDB_API_KEY": sandbox.key,
            "LAKE_ROOT": str(self.folder / "lake"),
        }

    def rows(self, table: Table, *columns: str) -> list[Any]:
        """A table's rows, or one column's values, sorted."""
        return sorted_rows(table, self.lake, *columns)

    def movie_ids(self) -> list[int]:
        return self.rows(RAW_MOVIES, "movie_id")


@pytest.fixture(scope="session")
def lake(tmp_path_factory) -> str:
    """A lake of a few movies; nobody changes what is in it."""
    return make_lake(str(tmp_path_factory.mktemp("lake")))


@pytest.fixture(scope="session")
def whole_lake(tmp_path_factory) -> str:
    """The same, with all other tables empty."""
    root = make_lake(str(tmp_path_factory.mktemp("lake")))
    for table in TABLES:
        create(table, root)
    return root


@pytest.fixture(scope="session")
def prefect_home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("prefect")


@pytest.fixture(scope="session")
def prefect_api(tmp_path_factory, prefect_home) -> Iterator[str]:
    """One Prefect server for all runs of the tests: starting one takes longer than most runs."""
    with prefect_server(tmp_path_factory, prefect_home) as api:
        yield api


@pytest.fixture(scope="session")
def new_place(prefect_api, prefect_home) -> Callable[[Path], Place]:
    """Makes a folder a place whose runs go to the server of these tests, without a key."""
    return lambda folder: Place(folder, {"PREFECT_API_URL": prefect_api, "PREFECT_HOME": str(prefect_home)})


@pytest.fixture
def place(tmp_path, new_place) -> Place:
    """An empty folder without a key."""
    return new_place(tmp_path)


@pytest.fixture
def served(place) -> Iterator[Callable[..., tuple[Place, Sandbox]]]:
    """A place whose movies come from a server of the test's own, which counts and misbehaves as told."""
    servers: list[Sandbox] = []

    def serve(**options: Any) -> tuple[Place, Sandbox]:
        sandbox = Sandbox(**options).start()
        servers.append(sandbox)
        place.serve_from(sandbox)
        return place, sandbox

    yield serve
    for sandbox in servers:
        sandbox.stop()


@pytest.fixture(scope="session")
def first_run(tmp_path_factory, new_place) -> Iterator[tuple[Place, Sandbox]]:
    """A first run of the default movies; nobody changes what it left."""
    place = new_place(tmp_path_factory.mktemp("first_run"))
    with Sandbox() as sandbox:
        place.serve_from(sandbox)
        place.succeed()
        yield place, sandbox


@pytest.fixture
def filled(place, first_run) -> tuple[Place, Sandbox]:
    """A place of the test's own after a first run of the default movies, and the server they came from."""
    first, sandbox = first_run
    shutil.copytree(first.folder, place.folder, dirs_exist_ok=True)
    place.serve_from(sandbox)
    return place, sandbox


def await_requests(sandbox: Sandbox, count: int, process: subprocess.Popen[str]) -> None:
    """Return once the server has been asked for so many movies, or the process has ended."""
    deadline = time.monotonic() + RUN_SECONDS
    while sandbox.stats()["requests"] < count and process.poll() is None:
        assert time.monotonic() < deadline, "the server was not asked in time"
        time.sleep(0.005)  # or asking would take as much of the machine as the run
