"""Measure ingestion at the size of TMDB, on the sandbox in a process of its own.

    uv run python benchmarks/ingestion_at_scale.py --fetch      # 100,000 movies of 4 KB, 10,000 of 140 KB
    uv run python benchmarks/ingestion_at_scale.py --resume     # seconds to the first request, 100,000 there
    uv run python benchmarks/ingestion_at_scale.py --commits    # a thousand commits, one after the other
    uv run python benchmarks/ingestion_at_scale.py --work-list  # find the missing ones of 1,100,000 ids

There is no rate limit, and 50 requests are in flight. Peak memory is that of the process that fetches. Bytes
on disk are those of `raw/movies`, compared with all payloads as one zstd stream of level 3, zstd's default.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from array import array
from datetime import UTC, datetime

from ingestion import measure, peak_mib, say

from movies.sandbox import Sandbox

IN_FLIGHT = 50
OFF = {"INGESTION_REQUESTS_PER_SECOND": "1000000"}
SIZES = ((100_000, 4_000), (10_000, 140_000))
PRESENT, ASKED, BATCH = 1_000_000, 1_100_000, 1_000


def fetch(rounds: int) -> None:
    """Print movies/s compared with a bare loop, peak memory and bytes on disk."""
    for movies, payload_bytes in SIZES:
        with Sandbox(synthetic=movies, payload_bytes=payload_bytes) as sandbox:
            bare, rates, peaks, disk = [], [], [], 0.0
            for _ in range(rounds):
                bare.append(movies / measure("bare", sandbox, movies, IN_FLIGHT, **OFF)["seconds"])
                with tempfile.TemporaryDirectory() as lake:
                    done = measure("pipeline", sandbox, movies, IN_FLIGHT, LAKE_ROOT=lake, **OFF)
                    disk = disk or _compare_with_zstd(lake)
                rates.append(movies / done["seconds"])
                peaks.append(done["peak_mib"])
        ratio = statistics.median(ours / theirs for ours, theirs in zip(rates, bare, strict=True))
        say(f"{movies:,} movies of {payload_bytes:,} bytes: {statistics.median(rates):,.0f} movies/s, ")
        say(f"bare {statistics.median(bare):,.0f}, ratio {ratio:.2f}; ")
        say(f"peak {max(peaks):.0f} MiB; {disk:.2f} times zstd on disk ({rounds} rounds)\n")


def _compare_with_zstd(lake: str) -> float:
    import zstandard
    from deltalake import DeltaTable

    from movies.lake.tables import RAW_MOVIES

    found = DeltaTable(RAW_MOVIES.path(lake))
    on_disk = sum(found.get_add_actions(flatten=True)["size_bytes"].to_pylist())
    compressor = zstandard.ZstdCompressor(level=3).compressobj()
    packed = 0
    for batch in found.to_pyarrow_dataset().to_batches(columns=["payload"], batch_size=1_000):
        for payload in batch.column("payload").to_pylist():
            packed += len(compressor.compress(payload.encode()))
    return float(on_disk / (packed + len(compressor.flush())))


def resume(rounds: int) -> None:
    """Print the seconds from the start of the flow to its first request, if most movies are in the lake."""
    movies = 100_000
    with (
        Sandbox(synthetic=movies + rounds, payload_bytes=4_000) as sandbox,
        tempfile.TemporaryDirectory() as lake,
    ):
        measure("pipeline", sandbox, movies, IN_FLIGHT, LAKE_ROOT=lake, **OFF)
        seconds = []
        for number in range(1, rounds + 1):
            done = measure("pipeline", sandbox, movies + number, IN_FLIGHT, LAKE_ROOT=lake, **OFF)
            seconds.append(sandbox.stats(arrivals=True)["arrivals"][0] - done["flow_began"])
    say(f"first request {statistics.median(seconds):.2f} s after the flow has begun ({rounds} rounds)\n")


def commits() -> None:
    """Print the milliseconds of a commit, for each hundred commits."""
    import pyarrow as pa

    from movies.lake.arrow import arrow_schema
    from movies.lake.commits import Appender
    from movies.lake.tables import RAW_MOVIES

    with tempfile.TemporaryDirectory() as lake:
        appender = Appender(RAW_MOVIES, lake, "sandbox", unique="movie_id")
        seconds = []
        for number in range(PRESENT // BATCH):
            rows = _rows(pa, arrow_schema(RAW_MOVIES), number)
            began = time.perf_counter()
            appender.append(rows, f"b{number:06}")
            seconds.append(time.perf_counter() - began)
    hundreds = [1_000 * statistics.median(seconds[n : n + 100]) for n in range(0, len(seconds), 100)]
    say(
        "milliseconds of a commit, each hundred's median: "
        + ", ".join(f"{one:.0f}" for one in hundreds)
        + "\n"
    )


def _rows(pa, schema, number):
    return pa.table(
        {
            "movie_id": list(range(number * BATCH, (number + 1) * BATCH)),
            "payload": ['{"id": 1}'] * BATCH,
            "fetched_at": [datetime.now(UTC)] * BATCH,
            "batch_id": [f"b{number:06}"] * BATCH,
            "source": ["sandbox"] * BATCH,
        },
        schema=schema,
    )


def work_list() -> None:
    """Print the seconds and the peak memory of a new process that finds the missing ids."""
    import pyarrow as pa

    from movies.lake.arrow import arrow_schema
    from movies.lake.commits import Appender
    from movies.lake.tables import RAW_MOVIES

    with tempfile.TemporaryDirectory() as lake:
        appender = Appender(RAW_MOVIES, lake, "sandbox", unique="movie_id")
        for number in range(PRESENT // BATCH):
            appender.append(_rows(pa, arrow_schema(RAW_MOVIES), number), f"b{number:06}")
        output = subprocess.run(
            [sys.executable, __file__, "--plan", lake], stdout=subprocess.PIPE, check=True
        ).stdout
    done = json.loads(output)
    say(
        f"{done['missing']:,} of {ASKED:,} ids are missing: {done['seconds']:.2f} s, "
        f"peak {done['peak']:.0f} MiB\n"
    )


def _plan(lake: str) -> None:
    from movies.lake.inventory import read_inventory
    from movies.lake.work_list import plan_work

    ids = array("q", range(ASKED))
    began = time.perf_counter()
    work = plan_work(read_inventory(lake), ids)
    seconds = time.perf_counter() - began
    say(json.dumps({"missing": len(work.to_fetch), "seconds": seconds, "peak": peak_mib()}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name in ("fetch", "resume", "commits", "work-list"):
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--plan", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.plan:
        _plan(arguments.plan)
    if arguments.fetch:
        fetch(arguments.rounds)
    if arguments.resume:
        resume(arguments.rounds)
    if arguments.commits:
        commits()
    if arguments.work_list:
        work_list()


if __name__ == "__main__":
    main()
