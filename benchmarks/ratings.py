"""Measure IMDb's ratings: reading a file as large as IMDb's, detecting no change, and the update of silver.

Each step is a process of its own, to measure its peak memory. The movies are made up, and all have ratings.

Usage: python benchmarks/ratings.py [--ratings 1500000] [--movies 10000]
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from _movies import fill_lake

CHANGED_SHARE = 0.01
SCALE = 1024 if sys.platform != "darwin" else 1024 * 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ratings", type=int, default=1_500_000)
    parser.add_argument("--movies", type=int, default=10_000)
    parser.add_argument("--inside", nargs=3, metavar=("STEP", "LAKE", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        print(json.dumps(run_inside(*options.inside)))  # noqa: T201
        return
    with tempfile.TemporaryDirectory() as folder:
        lake, file = f"{folder}/lake", Path(folder) / "title.ratings.tsv.gz"
        fill_lake(lake, options.movies)
        write_file(file, options.ratings, options.movies, changed=0)
        say(f"{options.ratings:,} ratings, {file.stat().st_size / 1e6:.1f} MB; {options.movies:,} movies")
        step("nothing but the imports", "imports", lake, file)
        step("read and commit", "read", lake, file)
        step("look, and find it unchanged", "read", lake, file)
        step("silver without ratings", "without", lake, file)
        step("silver with ratings, all anew", "silver", lake, file)
        changed = round(options.movies * CHANGED_SHARE)
        write_file(file, options.ratings, options.movies, changed)
        step(f"read and commit, {changed:,} of the movies' ratings are others", "read", lake, file)
        step("silver's update", "silver", lake, file)


def write_file(path: Path, ratings: int, movies: int, changed: int) -> None:
    """Write a file with that many ratings, one for each movie; those of the changed movies differ."""
    others = set(random.Random(5).sample(range(1, movies + 1), changed))
    with gzip.open(path, "wb", compresslevel=6) as file:
        file.write(b"tconst\taverageRating\tnumVotes\n")
        for n in range(1, ratings + 1):
            scattered = n * 2_654_435_761 % 2**32
            votes = 5 + scattered % 100_000 + (n in others)
            file.write(b"tt%07d\t%.1f\t%d\n" % (n, 1 + scattered % 91 / 10, votes))


def step(what: str, name: str, lake: str, file: Path) -> None:
    done = subprocess.run(
        [sys.executable, __file__, "--inside", name, lake, str(file)], capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(done.stderr)
    told = json.loads(done.stdout.splitlines()[-1])
    say(f"{what}: {told['seconds']:.3f} s, peak {told['peak_mib']:.0f} MiB {told['facts']}")


def run_inside(name: str, lake: str, file: str) -> dict[str, Any]:
    from tasks.imdb_ratings import read_ratings

    facts: Any = ""
    if name in ("silver", "without"):
        from _stages import write_silver_tables

        from spark.engines.session import EngineOptions, open_engine

        with open_engine("sail", EngineOptions(lake_root=lake)) as engine:
            began = time.perf_counter()
            facts = write_silver_tables(engine.session, lake, rebuild=False, rated=name == "silver")
            facts = {fact: facts[fact] for fact in ("movies", "rated", "judged") if fact in facts}
            seconds = time.perf_counter() - began
    else:
        began = time.perf_counter()
        if name == "read":
            facts = repr(asyncio.run(read_ratings.fn(lake, file, "benchmark", [])))
        seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / SCALE
    return {"seconds": seconds, "peak_mib": peak, "facts": facts}


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
