"""Compare ingestion with commits to a bare httpx loop, on the sandbox in a process of its own.

    uv run python benchmarks/ingestion.py            # throughput with 5 and 50 requests in flight
    uv run python benchmarks/ingestion.py --memory   # peak memory at 2,000 to 20,000 movies
    uv run python benchmarks/ingestion.py --ceiling  # requests in the busiest second, limit of 30

Both sides fetch the same movies with credits from the same server. The pipeline's seconds are those of its
flow `ingest-movies`, from start to end. Each measurement is a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from movies.sandbox import Sandbox

LATENCY_MS = 20
PAYLOAD_BYTES = 17_000


def measure(side: str, sandbox: Sandbox, movies: int, concurrency: int, **environment: str) -> dict[str, Any]:
    """Run one side in a new process, and return its seconds and its peak memory."""
    sandbox.reset()
    with tempfile.TemporaryDirectory() as folder:
        result = subprocess.run(
            [sys.executable, __file__, "--side", side, "--movies", str(movies)],
            env={
                **os.environ,
                "TMDB_BASE_URL": sandbox.base_url,
                "TMDB_API_KEY": sandbox.key,
                "LAKE_ROOT": f"{folder}/lake",
                "OUTPUT_DIR": f"{folder}/output",
                "INGESTION_CONCURRENCY": str(concurrency),
                **environment,
            },
            stdout=subprocess.PIPE,
            check=True,
        )
    return json.loads(result.stdout.splitlines()[-1])


def compare_throughput(movies: int, rounds: int) -> None:
    with Sandbox(synthetic=movies, payload_bytes=PAYLOAD_BYTES, faults={"latency_ms": LATENCY_MS}) as sandbox:
        for concurrency in (5, 50):
            rates: dict[str, list[float]] = {"bare": [], "pipeline": []}
            for _ in range(rounds):
                for side, values in rates.items():
                    done = measure(
                        side, sandbox, movies, concurrency, INGESTION_REQUESTS_PER_SECOND="1000000"
                    )
                    values.append(movies / done["seconds"])
            medians = {side: statistics.median(values) for side, values in rates.items()}
            ratio = statistics.median(
                ours / bare for ours, bare in zip(rates["pipeline"], rates["bare"], strict=True)
            )
            say(f"{concurrency:>3} in flight: {medians['pipeline']:7.0f} movies/s with commits, ")
            say(f"{medians['bare']:7.0f} bare, ratio {ratio:.2f} ({movies} movies, {rounds} rounds)\n")


def compare_memory() -> None:
    with Sandbox(synthetic=20_000, payload_bytes=PAYLOAD_BYTES) as sandbox:
        for batch_size in (100, 1_000):
            for movies in (2_000, 5_000, 20_000):
                done = measure(
                    "pipeline",
                    sandbox,
                    movies,
                    50,
                    INGESTION_REQUESTS_PER_SECOND="1000000",
                    INGESTION_BATCH_SIZE=str(batch_size),
                )
                rate = movies / done["seconds"]
                say(f"{movies:>6} movies in batches of {batch_size}: peak {done['peak_mib']:.0f} MiB, ")
                say(f"{rate:.0f} movies/s\n")


def check_ceiling(ceiling: int = 30, movies: int = 600) -> None:
    with Sandbox(synthetic=movies, payload_bytes=PAYLOAD_BYTES) as sandbox:
        measure("pipeline", sandbox, movies, 50, INGESTION_REQUESTS_PER_SECOND=str(ceiling))
        arrivals = sorted(sandbox.stats(arrivals=True)["arrivals"])
    busiest = max(sum(start <= moment < start + 1 for moment in arrivals) for start in arrivals)
    rate = (len(arrivals) - 1) / (arrivals[-1] - arrivals[0])
    say(f"ceiling {ceiling}/s: {busiest} in the busiest second, {rate:.1f}/s on average\n")


def run_side(side: str, movies: int) -> None:
    """Fetch movies 1 to n with the settings of the environment; this is the measured process."""
    ids = list(range(1, movies + 1))
    began = time.monotonic()
    if side == "bare":
        seconds = asyncio.run(_fetch_bare(ids))
    else:
        began, seconds = _fetch_with_pipeline(ids)
    say(json.dumps({"seconds": seconds, "flow_began": began, "peak_mib": peak_mib()}) + "\n")


async def _fetch_bare(ids: list[int]) -> float:
    import httpx

    concurrency = int(os.environ["INGESTION_CONCURRENCY"])
    waiting = iter(ids)
    async with httpx.AsyncClient(
        base_url=os.environ["TMDB_BASE_URL"],
        params={"api_key": os.environ["TMDB_API_KEY"]},
        limits=httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency),
    ) as client:

        async def fetch() -> None:
            for movie_id in waiting:
                response = await client.get(f"/movie/{movie_id}", params={"append_to_response": "credits"})
                response.raise_for_status()

        start = time.perf_counter()
        await asyncio.gather(*(fetch() for _ in range(concurrency)))
        return time.perf_counter() - start


def _fetch_with_pipeline(ids: list[int]) -> tuple[float, float]:
    """Return when the flow `ingest-movies` began, by the same clock as the sandbox, and its seconds."""
    from cli.local_api import start_local_api

    api = start_local_api()
    from flows.ingest import ingest_movies

    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file, api.ready(print):
        file.write("\n".join(map(str, ids)))
        file.flush()
        began = time.monotonic()
        report = asyncio.run(ingest_movies(movie_ids_file=Path(file.name)))
        seconds = time.monotonic() - began
    assert report.present + report.fetched == len(ids), report
    return began, seconds


def peak_mib() -> float:
    """Return the peak resident memory of this process."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--movies", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", action="store_true", help="measure peak memory instead")
    parser.add_argument("--ceiling", action="store_true", help="measure the busiest second instead")
    parser.add_argument("--side", choices=("bare", "pipeline"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        run_side(arguments.side, arguments.movies)
    elif arguments.memory:
        compare_memory()
    elif arguments.ceiling:
        check_ceiling()
    else:
        compare_throughput(arguments.movies, arguments.rounds)


if __name__ == "__main__":
    main()
