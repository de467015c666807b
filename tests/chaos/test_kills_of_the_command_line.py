"""Runs of the command line are killed at random moments, and the next one goes on."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from math import ceil
from pathlib import Path

import pytest

from movies.lake.tables import FETCH_FAILURES

pytestmark = pytest.mark.chaos

KILLS = 15
MOVIES = 1_000
SEED = 20261123
ABSENT = [0, 90_001, 90_002]
# Answered by 500 at every attempt.
OWED = 7
BATCH_SIZE, CONCURRENCY = 20, 5
# After this line a run reads the lake, and fetches.
FETCHING = "for flow 'ingest-movies'"
# After the last one it has committed.
LOG_LINES = ("for flow 'movie-pipeline'", FETCHING, "Finished in state Completed()")


@pytest.mark.long
def test_killed_at_random_moments_no_movie_is_lost_none_twice_and_little_is_fetched_again(served):
    place, sandbox = served(
        synthetic=MOVIES,
        payload_bytes=4096,
        faults={"latency_ms": 10, "by_movie": {OWED: "server_error"}},
    )
    movie_ids = [*range(1, 100), *ABSENT, *range(100, MOVIES + 1)]
    ids_file = place.folder / "ids.txt"
    ids_file.write_text("\n".join(map(str, movie_ids)))
    arguments = ("--stage", "ingest", "--movie-ids-file", str(ids_file))
    place.environment |= {
        "INGESTION_CONCURRENCY": str(CONCURRENCY),
        "INGESTION_REQUESTS_PER_SECOND": "2000",
        "INGESTION_MAX_RETRIES": "0",
    }
    log = place.folder / "output" / "logs" / "project.log"
    dice = random.Random(SEED)

    killed = 0
    for number in range(KILLS):
        line = dice.choice(LOG_LINES) if number % 5 == 4 else FETCHING
        lines, asked = count_lines(log, line) + 1, sandbox.stats()["requests"] + dice.randint(1, 55)
        process = place.start(*arguments, INGESTION_BATCH_SIZE=str(BATCH_SIZE))
        await_either(process, lambda line=line, lines=lines: count_lines(log, line) >= lines)
        if number % 5 != 4:
            await_either(process, lambda asked=asked: sandbox.stats()["requests"] >= asked)
        killed += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.communicate()
    done = place.run(*arguments)

    assert (done.returncode, f"1 of {len(movie_ids):,} movies could not be fetched" in done.stderr) == (
        1,
        True,
    )
    assert killed >= 0.8 * KILLS
    assert place.movie_ids() == [movie_id for movie_id in range(1, MOVIES + 1) if movie_id != OWED]
    failures = Counter(place.rows(FETCH_FAILURES, "movie_id", "reason", "attempts"))
    assert 1 <= failures.pop((OWED, "exhausted_retries", 1)) <= killed + 1
    assert failures == {(movie_id, "not_found", 1): 1 for movie_id in ABSENT}
    asked = sandbox.stats()["by_movie"]
    again = sum(count - 1 for movie_id, count in asked.items() if int(movie_id) != OWED)
    assert again <= killed * (ceil(CONCURRENCY / BATCH_SIZE) + 1) * BATCH_SIZE


def count_lines(log: Path, line: str) -> int:
    return log.read_text().count(line) if log.exists() else 0


def await_either(process: subprocess.Popen[str], happened: Callable[[], bool]) -> None:
    """Return once it has happened, or the process has ended; a look at it costs the run next to nothing."""
    while process.poll() is None and not happened():
        time.sleep(0.01)
