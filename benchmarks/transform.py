"""Time the transform and all KPIs on each engine, and the least that reading the payloads takes.

Each run is a whole process: interpreter, imports, engine, reading the raw tables, writing silver, checking
it, computing and writing gold. They take turns, so a busy machine slows all of them. Besides the engines,
there are:

- `decode`: only read and decode payloads with msgspec, one process per core: the limit;
- `update`: update silver after 1% of the movies have changed, and all KPIs;
- `unchanged`: the same without changes.

Usage: python benchmarks/transform.py [--movies 10000] [--runs 3] [--what sail,decode,…] [--lake FOLDER]
"""

from __future__ import annotations

import argparse
import compileall
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

BENCHMARKS = Path(__file__).resolve().parent
PROJECT_ROOT = BENCHMARKS.parent
CHANGED_SHARE = 0.01
LOOK_SECONDS = 0.1
ALL = ("sail", "local[2]", "decode", "update", "unchanged")


@dataclass
class Measured:
    """What a process and all its children used."""

    wall_s: float
    cpu_s: float
    peak_mib: float
    told: Any


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--movies", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--what", default=",".join(ALL))
    parser.add_argument("--lake", help="a folder that has a lake, or in which to create one")
    parser.add_argument("--inside", nargs=2, metavar=("WHAT", "LAKE_ROOT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    sys.path[:0] = [str(BENCHMARKS), str(PROJECT_ROOT)]
    if options.inside:
        INSIDE[options.inside[0]](options.inside[1])
        return
    from movies.project import OWN_PACKAGES

    for package in (*OWN_PACKAGES, "benchmarks"):
        compileall.compile_dir(PROJECT_ROOT / package, quiet=1)
    with tempfile.TemporaryDirectory() as folder:
        compare(options.lake or folder, options.movies, options.runs, options.what.split(","))


def compare(lake_root: str, movies: int, runs: int, what: list[str]) -> None:
    """Run all in turns on one lake, and print medians."""
    from _movies import change_some, fill_lake

    if not (Path(lake_root) / "raw" / "movies").exists():
        tell(f"{movies:,} payloads of {fill_lake(lake_root, movies) / 1000:.1f} KB on average")
    tell(f"{movies:,} movies, {runs} runs each, {os.cpu_count()} cores")
    measured: dict[str, list[Measured]] = {name: [] for name in what}
    for _ in range(runs):
        for name in what:
            place = lake_root
            if name in ("update", "unchanged"):
                place = f"{lake_root}-{name}"
                shutil.rmtree(place, ignore_errors=True)
                subprocess.run(["cp", "-al", lake_root, place], check=True)
                run("sail", place)
                if name == "update":
                    change_some(place, movies, CHANGED_SHARE)
            measured[name].append(run(name, place))
            tell_row(name, measured[name][-1:])
            if place != lake_root:
                shutil.rmtree(place)
    tell("median:")
    for name, found in measured.items():
        tell_row(name, found)


def run(name: str, lake_root: str) -> Measured:
    """Run one of them as a process, and watch it and its children."""
    own = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, str(BENCHMARKS / "transform.py"), "--inside", name, lake_root]
    started = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=own | {"PYTHONPATH": str(PROJECT_ROOT)}
    )
    watched = psutil.Process(process.pid)
    cpu: dict[int, float] = {}
    peak = 0
    while process.poll() is None:
        resident = 0
        try:
            for one in (watched, *watched.children(recursive=True)):
                times = one.cpu_times()
                cpu[one.pid] = times.user + times.system
                resident += one.memory_info().rss
        except psutil.NoSuchProcess:
            continue
        peak = max(peak, resident)
        time.sleep(LOOK_SECONDS)
    wall = time.perf_counter() - started
    assert process.stdout is not None
    out = process.stdout.read()
    if process.returncode:
        raise SystemExit(f"{name} failed")
    return Measured(wall, sum(cpu.values()), peak / 2**20, json.loads(out.splitlines()[-1]))


def tell_row(name: str, found: list[Measured]) -> None:
    wall, cpu, peak = (
        statistics.median(getattr(one, figure) for one in found) for figure in ("wall_s", "cpu_s", "peak_mib")
    )
    tell(f"  {name:<10} {wall:8.2f} s  cpu {cpu:8.2f} s  {peak:7.0f} MiB  {json.dumps(found[-1].told)}")


def run_pipeline(engine_name: str, lake_root: str, *, rebuild: bool = True) -> None:
    """Update silver and gold once, and print how long each part took."""
    started = time.perf_counter()
    from _stages import write_gold_tables, write_silver_tables

    from flows.warm_up import count_payloads
    from spark.engines.session import EngineOptions, open_engine

    laps: dict[str, float] = {"imports": time.perf_counter() - started}

    def lap(part: str) -> None:
        laps[part] = time.perf_counter() - started - sum(laps.values())

    with open_engine(engine_name, EngineOptions(movies=count_payloads(lake_root))) as engine:
        lap("engine")
        facts = write_silver_tables(engine.session, lake_root, rebuild=rebuild)
        lap("silver")
        if facts["judged"] != 0:
            write_gold_tables(engine.session, lake_root)
            lap("gold")
    parts = {part: round(seconds, 2) for part, seconds in laps.items()}
    tell(json.dumps({"movies": facts["movies"], "judged": facts["judged"]} | parts))


def run_decode(lake_root: str) -> None:
    """Read and decode every payload, with one process per core."""
    from movies.lake.delta import open_table
    from movies.lake.tables import RAW_MOVIES

    files = open_table(RAW_MOVIES, lake_root).file_uris()
    started = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        movies = sum(pool.imap_unordered(decode_file, files, chunksize=4))
    tell(json.dumps({"movies": movies, "decode": round(time.perf_counter() - started, 2)}))


def decode_file(path: str) -> int:
    """Decode the payloads of one file, and return how many."""
    import msgspec
    import pyarrow.parquet as pq

    from spark.payloads import Payload

    read = msgspec.json.Decoder(Payload).decode
    payloads = pq.ParquetFile(path).read(["payload"]).column(0)
    for payload in payloads.to_pylist():
        read(payload)
    return len(payloads)


INSIDE: dict[str, Callable[[str], None]] = {
    "sail": lambda lake_root: run_pipeline("sail", lake_root),
    "local[2]": lambda lake_root: run_pipeline("local[2]", lake_root),
    "decode": run_decode,
    "update": lambda lake_root: run_pipeline("sail", lake_root, rebuild=False),
    "unchanged": lambda lake_root: run_pipeline("sail", lake_root, rebuild=False),
}


def tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
