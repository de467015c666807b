"""Ingestion as `flows/ingest` does it, from the rooms tmdb and lake alone, to be killed at a chosen moment.

Reads jobs from standard input, one line of JSON each, and runs each in a process forked for it: Python and
its packages are there already, so that a kill takes a fraction of a second. Answers a line for each.
"""

from __future__ import annotations

import asyncio
import ctypes
import importlib
import json
import os
import signal
import sys
from collections import Counter, deque
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from typing import Any

from movies.lake.backup import check_finished
from movies.lake.checkpoints import Committer
from movies.lake.cursor import mark_begun, move_cursor
from movies.lake.inventory import read_inventory
from movies.lake.lock import ingestion_lock
from movies.lake.work_list import check_source, plan_work
from movies.tmdb.client import TmdbClient, open_client
from movies.tmdb.movie_answers import Failure, Movie, fetch_movies
from movies.tmdb.pace import Pace
from movies.tmdb.retry import RetryPolicy

PARTS = 2
RETRIES = 1
# A job that hangs ends by SIGALRM.
JOB_SECONDS = 120
# What a run imports once it needs it: imported before the fork, it costs each job nothing.
LAZY = (
    "anyio._backends._asyncio",
    "httpcore",
    "h2.connection",
    "pandas",
    "pyarrow.acero",
    "pyarrow.dataset",
    "pyarrow.pandas_compat",
)
# As `file_operations.c` numbers them.
FAULTS = ["none", "kill", "tear", "full", "fail"]


@dataclass(frozen=True)
class Job:
    """What to fetch into which lake, and what goes wrong: at a step of the loop, or at a file operation."""

    lake: str
    base_url: str
    key: str
    movie_ids: list[int]
    batch_size: int = 10
    concurrency: int = 5
    kill_at_step: int = 0
    # Where `file_operations.c` writes down what it counts, and which of them goes wrong, and how.
    file_operations: str = ""
    fault_at: int = 0
    fault: str = "kill"
    # Until when these movies follow TMDB's changes, in seconds since 1970.
    followed: int = 2_000

    @property
    def open_batches(self) -> int:
        return ceil(self.concurrency / self.batch_size) + 1


class Steps(deque[Any]):
    """What an event loop has to run, killing the process instead of running the n-th.

    Whatever goes on after an `await`, a timer or a socket is one step.
    """

    def __init__(self, kill_at: int) -> None:
        super().__init__()
        self.done = 0
        self._kill_at = kill_at

    def popleft(self) -> Any:
        self.done += 1
        if self.done == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().popleft()


class CountingLoop(asyncio.SelectorEventLoop):
    """An event loop that counts its steps and dies at one of them."""

    def __init__(self, kill_at: int) -> None:
        super().__init__()
        self.steps = self._ready = Steps(kill_at)


async def ingest(job: Job, run_id: str) -> dict[str, Any]:
    """Fetch what the lake lacks, batch by batch, and tell what became of it."""
    async with ingestion_lock(job.lake):
        check_finished(job.lake)
        check_source(job.lake, job.base_url, "sandbox")
        work = plan_work(read_inventory(job.lake), job.movie_ids)
        async with open_client(
            job.base_url,
            api_key=job.key,
            pace=Pace(5000, job.concurrency),
            concurrency=job.concurrency,
            policy=RetryPolicy(max_retries=RETRIES, base_seconds=0.01),
        ) as client:
            outcomes: list[Movie | Failure] = []
            if work.to_fetch:
                marks = [mark_begun(datetime.fromtimestamp(job.followed, UTC))]
                committer = Committer(job.lake, source=job.base_url, run_id=run_id, marks=marks)
                outcomes = await fetch_all(job, client, committer, work.to_fetch.tolist())
            if client.stop.reason is not None:
                raise client.stop.reason
        move_cursor(job.lake, datetime.fromtimestamp(job.followed, UTC))
    fetched = sum(isinstance(outcome, Movie) for outcome in outcomes)
    failed = Counter(outcome.reason for outcome in outcomes if isinstance(outcome, Failure))
    return {"asked": len(work.to_fetch), "fetched": fetched, "failed": failed}


async def fetch_all(
    job: Job, client: TmdbClient, committer: Committer, movie_ids: list[int]
) -> list[Movie | Failure]:
    """Fetch batches side by side, few of them open at once, each in parts that share a commit."""
    open_batches = asyncio.Semaphore(job.open_batches)

    async def fetch_batch(batch_ids: list[int]) -> list[Movie | Failure]:
        async with open_batches:
            if client.stop.is_set:
                return []
            middle = len(batch_ids) // PARTS
            parts = [part for part in (batch_ids[:middle], batch_ids[middle:]) if part]
            batch = committer.open_batch(len(parts))

            async def fetch_part(part: list[int]) -> list[Movie | Failure]:
                outcomes = await fetch_movies(client, part)
                movies = [outcome for outcome in outcomes if isinstance(outcome, Movie)]
                failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
                try:
                    await committer.hand_in(batch, movies, failures)
                except Exception as error:
                    client.stop.set(error)
                    raise
                return outcomes

            done = await asyncio.gather(*(fetch_part(part) for part in parts))
            return [outcome for outcomes in done for outcome in outcomes]

    batches = [
        movie_ids[start : start + job.batch_size] for start in range(0, len(movie_ids), job.batch_size)
    ]
    done = await asyncio.gather(*(fetch_batch(batch) for batch in batches), return_exceptions=True)
    for outcomes in done:
        if isinstance(outcomes, BaseException):
            raise outcomes
    return [outcome for outcomes in done for outcome in outcomes]  # type: ignore[union-attr]


def run(job: Job, run_id: str) -> dict[str, Any]:
    """Run a job in this process."""
    if job.file_operations:
        arm = ctypes.CDLL(None).arm_file_operations
        below, log = job.lake.encode(), job.file_operations.encode()
        arm(below, log, ctypes.c_long(job.fault_at), FAULTS.index(job.fault))
    loop = CountingLoop(job.kill_at_step)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        said = runner.run(ingest(job, run_id))
    return said | {"steps": loop.steps.done}


def main() -> None:
    """Run one job after the other, each in a process of its own."""
    for name in LAZY:
        importlib.import_module(name)
    for number, line in enumerate(sys.stdin, start=1):
        told, tell = os.pipe()
        child = os.fork()
        if child == 0:
            signal.alarm(JOB_SECONDS)
            status = 1
            try:
                os.close(told)
                said = run(Job(**json.loads(line)), f"run-{number:06d}")
                os.write(tell, json.dumps(said).encode())
                status = 0
            except Exception as error:
                os.write(tell, json.dumps({"error": f"{type(error).__name__}: {error}"}).encode())
            finally:
                os._exit(status)
        os.close(tell)
        with os.fdopen(told) as pipe:
            said = json.loads(pipe.read() or "{}")
        _, ended = os.waitpid(child, 0)
        answer = {"status": os.waitstatus_to_exitcode(ended)} | said
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
