"""Ingestion in processes that are killed and starved, and what must be in the lake afterwards."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from movies.lake.cursor import read_cursor
from movies.lake.delta import read
from movies.lake.tables import FETCH_FAILURES, RAW_MOVIES
from movies.sandbox import Sandbox
from movies.sandbox.bundled_movies import Movies
from movies.sandbox.synthetic import SyntheticMovies
from tests.chaos.driver import RETRIES, Job
from tests.places import clean_environment

HERE = Path(__file__).parent
PAYLOAD_BYTES = 2048
MOVIES = range(1, 61)
ABSENT = [0, 90_001, 90_002]
# Answered by 500 at every attempt.
OWED = 7


@dataclass
class Driver:
    """The process of `driver.py`, and the server that it asks."""

    process: subprocess.Popen[str]
    sandbox: Sandbox
    folder: Path
    movie_ids: list[int] = field(default_factory=lambda: [*ABSENT[:2], *MOVIES, *ABSENT[2:]])

    def job(self, lake: Path, **changes: Any) -> Job:
        return Job(str(lake), self.sandbox.base_url, self.sandbox.key, self.movie_ids, **changes)

    def run(self, lake: Path, **changes: Any) -> dict[str, Any]:
        """Run a job to its end, or to its death."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(vars(self.job(lake, **changes))) + "\n")
        self.process.stdin.flush()
        said: dict[str, Any] = json.loads(self.process.stdout.readline())
        return said

    def succeed(self, lake: Path, **changes: Any) -> dict[str, Any]:
        said = self.run(lake, **changes)
        assert said["status"] == 0, said
        return said

    def list_file_operations(self, lake: Path, **changes: Any) -> list[str]:
        """What a run without trouble does to the lake's files, in order: an operation and a path each."""
        log = self.folder / "file_operations.log"
        self.succeed(lake, file_operations=str(log), **changes)
        lines = log.read_text().splitlines()
        log.unlink()
        return [line.replace(f"{lake}/", "") for line in lines]


@pytest.fixture(scope="session")
def file_operations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that counts file operations, compiled."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    library = tmp_path_factory.mktemp("library") / "file_operations.so"
    source = HERE / "file_operations.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


@pytest.fixture(scope="session")
def driver(file_operations: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    folder = tmp_path_factory.mktemp("driver")
    log = folder / "driver.log"
    faults = {"by_movie": {OWED: "server_error"}, "latency_ms": 1}
    with (
        Sandbox(synthetic=len(MOVIES), payload_bytes=PAYLOAD_BYTES, faults=faults) as sandbox,
        log.open("w") as errors,
        subprocess.Popen(
            [sys.executable, HERE / "driver.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=clean_environment()
            | {"LD_PRELOAD": str(file_operations), "PYTHONPATH": os.pathsep.join(sys.path)},
        ) as process,
    ):
        yield Driver(process, sandbox, folder)
        process.stdin.close()


def assert_exact(driver: Driver, lake: Path, *, runs: int) -> None:
    """No movie is lost, none is there twice, each is whole, and what could not be had is recorded."""
    raw, failures = read(RAW_MOVIES, str(lake)), read(FETCH_FAILURES, str(lake))
    assert raw is not None and failures is not None
    movies = Movies(None, SyntheticMovies(len(MOVIES), PAYLOAD_BYTES))
    found = sorted((row["movie_id"], row["payload"]) for row in raw.to_pylist())
    wanted = [movie_id for movie_id in driver.movie_ids if movie_id in MOVIES and movie_id != OWED]
    assert [movie_id for movie_id, _ in found] == wanted
    assert [payload.encode() for _, payload in found] == [movies.payload(movie_id) for movie_id in wanted]
    recorded = Counter(
        (row["movie_id"], row["reason"], row["http_status"], row["attempts"]) for row in failures.to_pylist()
    )
    absent = {(movie_id, "not_found", 404, 1): 1 for movie_id in driver.movie_ids if movie_id in ABSENT}
    times_owed = recorded.pop((OWED, "exhausted_retries", 500, 1 + RETRIES))
    assert recorded == absent
    assert 1 <= times_owed <= runs


def assert_cursor_is_behind(driver: Driver, lake: Path) -> None:
    """Changes count as followed only once every movie is there, or recorded."""
    job = driver.job(lake)
    if (followed := read_cursor(str(lake)).followed) == datetime.fromtimestamp(job.followed, UTC):
        assert_exact(driver, lake, runs=2)
    else:
        assert followed is None or followed.timestamp() < job.followed


def count_refetched(driver: Driver) -> int:
    """How many requests were made for movies that had been answered already."""
    asked = driver.sandbox.stats()["by_movie"]
    return sum(count - 1 for movie_id, count in asked.items() if int(movie_id) != OWED)
