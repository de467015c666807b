"""Time deployed runs in containers, compared with an empty flow in the same pool and image.

    uv run python benchmarks/deployments.py [--rounds N]

This needs Docker and a Prefect API with the deployments and a worker (docs/operating.md). Each round runs an
empty flow and an unchanged `movie-pipeline/docker` in turn. Then it measures `refresh-analytics/docker` with
a rebuild of the tables, Spark's start in a new container, and the rebuild of both images after a change of
code.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import docker
from prefect import get_client
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import arun_deployment

PROJECT = Path(__file__).parents[1]
EMPTY_FLOW = """
from prefect import flow

@flow(name="benchmark-empty")
def empty():
    pass
"""
PIPELINE, REFRESH, POOL = "movie-pipeline/docker", "refresh-analytics/docker", "movies-docker"
IMAGES = ("flow", "spark")
FIRST_QUERY = """
import time
start = time.perf_counter()
from spark.engines.session import open_engine
with open_engine("local[2]") as engine:
    engine.session.range(10).selectExpr("sum(id)").collect()
    print(time.perf_counter() - start)
"""


async def run(client: PrefectClient, deployment: str, **parameters: Any) -> FlowRun:
    """Run a deployment and wait for its end."""
    started = await arun_deployment(deployment, client=client, parameters=parameters, timeout=0)
    while not (found := await client.read_flow_run(started.id)).state.is_final():
        await asyncio.sleep(0.1)
    assert found.state.is_completed(), f"{deployment}: {found.state}"
    return found


def total_seconds(found: FlowRun) -> float:
    """Return the seconds from the creation of the run to its end."""
    return (found.end_time - found.created).total_seconds()


async def pickup_seconds(client: PrefectClient, found: FlowRun) -> float:
    """Return the seconds from the creation of the run until the worker picks it up."""
    states = await client.read_flow_run_states(found.id)
    pending: datetime = min(state.timestamp for state in states if state.type.value == "PENDING")
    return (pending - found.created).total_seconds()


async def deploy_empty_flow(client: PrefectClient, folder: Path) -> str:
    """Deploy an empty flow with the image, the pool and the environment of the pipeline."""
    (folder / "empty.py").write_text(EMPTY_FLOW)
    beside = await client.read_deployment_by_name(PIPELINE)
    variables = dict(beside.job_variables)
    variables["volumes"] = [*variables["volumes"], f"{folder}:/benchmark"]
    flow_id = await client.create_flow_from_name("benchmark-empty")
    await client.create_deployment(
        flow_id,
        "docker",
        entrypoint="/benchmark/empty.py:empty",
        pull_steps=beside.pull_steps,
        work_pool_name=POOL,
        job_variables=variables,
    )
    return "benchmark-empty/docker"


def first_query_seconds(**environment: str) -> float:
    """Start Spark in a new container, run a query, and return the seconds."""
    said = docker.from_env().containers.run(
        "tmdb-movies-spark", ["python", "-c", FIRST_QUERY], environment=environment, remove=True
    )
    return float(said.split()[-1])


def rebuild_seconds(name: str) -> float:
    """Change one module, build an image again, and return the seconds."""
    changed = PROJECT / "stages" / "lake_status.py"
    before = changed.read_bytes()
    changed.write_bytes(before + f"# {time.time()}\n".encode())
    try:
        start = time.perf_counter()
        command = ["docker", "build", "-q", "-f", f"docker/{name}.Dockerfile", "-t", "benchmark-rebuild", "."]
        subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
        return time.perf_counter() - start
    finally:
        changed.write_bytes(before)


async def measure(rounds: int, folder: Path) -> None:
    async with get_client() as client:
        empty = await deploy_empty_flow(client, folder)
        await run(client, PIPELINE)
        taken: dict[str, list[float]] = {empty: [], PIPELINE: []}
        pickups: list[float] = []
        for _ in range(rounds):
            for deployment in taken:
                found = await run(client, deployment)
                taken[deployment].append(total_seconds(found))
                pickups.append(await pickup_seconds(client, found))
        medians = {name: statistics.median(values) for name, values in taken.items()}
        ratio = medians[PIPELINE] / medians[empty]
        say(f"empty flow {medians[empty]:.1f} s, unchanged {medians[PIPELINE]:.1f} s (ratio {ratio:.2f})")
        say(f"picked up after {statistics.median(pickups):.1f} s, at most {max(pickups):.1f} s")
        spark: list[float] = []
        for _ in range(rounds):
            found = await run(client, REFRESH, refresh=True, stages=["transform", "kpis"])
            spark.append((found.end_time - found.start_time).total_seconds())
        say(f"transform and KPIs of a run, Spark's start included: {statistics.median(spark):.1f} s")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        asyncio.run(measure(rounds, Path(folder)))
    with_archive = statistics.median(first_query_seconds() for _ in range(rounds))
    without = statistics.median(first_query_seconds(SPARK_SUBMIT_OPTS="") for _ in range(rounds))
    say(f"Spark's start and first query: {with_archive:.1f} s, without the archive {without:.1f} s")
    for name in IMAGES:
        seconds = [rebuild_seconds(name) for _ in range(rounds)]
        size = docker.from_env().images.get(f"tmdb-movies-{name}").attrs["Size"] / 1e6
        say(f"{name} image: {size:.0f} MB, rebuilt with other code in {statistics.median(seconds):.1f} s")


if __name__ == "__main__":
    main()
