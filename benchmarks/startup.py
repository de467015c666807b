"""Time whole runs of the pipeline on the default movies, compared with an empty Prefect flow.

    uv run python benchmarks/startup.py

Each round runs three processes, one after the other: an empty flow, the pipeline in an empty folder, and the
pipeline again. The first rounds have no Prefect server, so each process starts a temporary one. The other
rounds have one.
"""

from __future__ import annotations

import argparse
import compileall
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cli.temporary_server import API_FACTORY
from movies.loopback import LoopbackServer

PROJECT = Path(__file__).parents[1]
EMPTY_FLOW = """
from prefect import flow

@flow
def empty():
    pass

empty()
"""
PIPELINE = [sys.executable, str(PROJECT / "flows" / "main.py")]


def seconds(command: list[str], folder: Path, environment: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return time.perf_counter() - start


def measure(rounds: int, environment: dict[str, str]) -> dict[str, float]:
    """Run the commands in turn, and return the median seconds of each."""
    taken: dict[str, list[float]] = {"empty flow": [], "first run": [], "unchanged run": []}
    for _ in range(rounds + 1):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            taken["empty flow"].append(seconds([sys.executable, "-c", EMPTY_FLOW], folder, environment))
            taken["first run"].append(seconds(PIPELINE, folder, environment))
            taken["unchanged run"].append(seconds(PIPELINE, folder, environment))
    # Skip the first round: it migrates the database and fills the disk cache.
    return {what: statistics.median(values[1:]) for what, values in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    for path in (PROJECT, *(Path(entry) for entry in sys.path if entry.endswith("site-packages"))):
        compileall.compile_dir(path, quiet=2, workers=0)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as home:
        own = {"PREFECT_HOME": home, "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
        report("no server running", measure(rounds, environment | own))
        with LoopbackServer.start(API_FACTORY, env=own) as server:
            there = own | {"PREFECT_API_URL": f"{server.url}/api"}
            report("with a server", measure(rounds, environment | there))


def report(name: str, medians: dict[str, float]) -> None:
    empty = medians["empty flow"]
    sys.stdout.write(f"{name}: empty flow {empty:.1f} s")
    for what in ("first run", "unchanged run"):
        sys.stdout.write(f", {what} {medians[what]:.1f} s ({medians[what] - empty:+.1f})")
    sys.stdout.write("\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
