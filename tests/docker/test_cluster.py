"""A Spark cluster of containers: what comes out of it both ways, and when a worker is lost midway."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.models.containers import Container

from movies.lake.delta import create, read
from movies.lake.gold_tables import GOLD
from movies.lake.table import Table
from movies.lake.tables import FETCH_FAILURES, RAW_MOVIES, SILVER, SILVER_MOVIES
from tests.docker.conftest import BUILD_SECONDS, PROJECT_ROOT, RUN_SECONDS, require_compose
from tests.places import Place, clean_environment
from tests.reference import nearly
from tests.spark.lakes import FETCHED_AT, append_payloads, read_payloads

pytestmark = [pytest.mark.docker, pytest.mark.long]

NAME = "tmdb-movies-test-cluster"
COMPOSE = ["docker", "compose", "--file", "docker/cluster.compose.yaml"]
DRIVER, SERVER = "spark://spark-master:7077", "sc://spark-connect:15002"
SERVICES = {"spark-connect": 1, "spark-master": 1, "spark-worker": 2}
TRANSFORM, KPIS = ("--stage", "transform"), ("--stage", "kpis")
# So many files that both workers have some of them to decode.
RAW_FILES = 8
LOOK_SECONDS = 0.05
# What the logs of executors say.
EXECUTOR = re.compile(r"Starting executor ID \S+ on host ([0-9.]+)")
STARTS_PYTHON = "Starting Python task execution"


@dataclass
class Run:
    """A run of the pipeline on the cluster."""

    process: subprocess.Popen[str]

    def succeed(self) -> None:
        """Wait for its end, which must be a success."""
        said, _ = self.process.communicate(timeout=RUN_SECONDS)
        assert self.process.returncode == 0, said[-5000:]

    def await_event(self, happened: Callable[[], Any]) -> None:
        """Return as soon as something has happened, which must be while it goes on."""
        deadline = time.monotonic() + RUN_SECONDS
        while not happened():
            assert self.process.poll() is None, f"it ended before: {self.process.communicate()[0][-5000:]}"
            assert time.monotonic() < deadline, "it did not happen"
            threading.Event().wait(LOOK_SECONDS)


@dataclass
class Cluster:
    """The cluster, with lakes and executors' logs in folders of the host."""

    client: docker.DockerClient
    environment: dict[str, str]
    data: Path
    scratch: Path

    def compose(self, *arguments: str) -> str:
        done = subprocess.run(
            [*COMPOSE, *arguments],
            cwd=PROJECT_ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=BUILD_SECONDS,
        )
        assert done.returncode == 0, done.stdout[-5000:]
        return done.stdout

    def up(self) -> None:
        """Start what does not run; return when all workers have been taken."""
        self.compose("up", "--no-build", "--detach", "--wait")

    def new_lake(self, name: str, payloads: list[tuple[int, str]]) -> str:
        """Fill the raw tables of a lake in the shared folder, in several files."""
        lake = str(self.data / name)
        fill(lake, payloads)
        return lake

    @contextmanager
    def run(self, lake: str, master: str, *stages: str) -> Iterator[Run]:
        """`docker compose run movies run` on a lake, which goes on until the end of the block at most."""
        settings = {"LAKE_ROOT": f"/data/{Path(lake).name}", "SPARK_MASTER": master}
        process = subprocess.Popen(
            [*COMPOSE, "run", "--rm", "--no-deps", "-T", "--name", f"{NAME}-run", "movies", "run", *stages],
            cwd=PROJECT_ROOT,
            env=self.environment | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield Run(process)
        finally:
            if process.poll() is None:
                subprocess.run(["docker", "rm", "--force", f"{NAME}-run"], capture_output=True)
            process.communicate()

    def containers(self) -> list[Container]:
        """All of its containers, running or not, runs of the pipeline too."""
        found = self.client.containers.list(
            all=True, filters={"label": f"com.docker.compose.project={NAME}"}, ignore_removed=True
        )
        return list(found)

    def workers(self) -> dict[str, Container]:
        """The workers that run, by their addresses."""
        labels = [f"com.docker.compose.project={NAME}", "com.docker.compose.service=spark-worker"]
        found = self.client.containers.list(filters={"label": labels})
        return {one.attrs["NetworkSettings"]["Networks"][NAME]["IPAddress"]: one for one in found}

    def decoded(self) -> Counter[str]:
        """How often each worker, by its address, has started to decode payloads."""
        return Counter(
            found[1]
            for log in self.scratch.glob("work/*/*/stderr")
            if (text := log.read_text()) and (found := EXECUTOR.search(text))
            for _ in range(text.count(STARTS_PYTHON))
        )


def fill(lake: str, payloads: list[tuple[int, str]]) -> None:
    for table in (RAW_MOVIES, FETCH_FAILURES):
        create(table, lake)
    for part in range(RAW_FILES):
        rows = [
            {"movie_id": movie_id, "payload": payload, "fetched_at": FETCHED_AT, "batch_id": f"b{part}"}
            for movie_id, payload in payloads[part::RAW_FILES]
        ]
        append_payloads(lake, rows)


@pytest.fixture(scope="module", params=[DRIVER, SERVER])
def master(request: pytest.FixtureRequest) -> str:
    """One way to the cluster after the other: its server keeps executors for a while."""
    return str(request.param)


@pytest.fixture(scope="module")
def payloads(shared_data: Path) -> list[tuple[int, str]]:
    return read_payloads(shared_data / "data" / "tmdb_sample_1601.ndjson.gz")


@pytest.fixture(scope="module")
def expected(payloads, new_place, tmp_path_factory) -> str:
    """The lake that the embedded engine makes of the payloads."""
    folder = tmp_path_factory.mktemp("expected")
    fill(str(folder / "lake"), payloads)
    place: Place = new_place(folder)
    place.environment |= {"LAKE_ROOT": str(folder / "lake"), "SPARK_MASTER": "sail"}
    assert "rows in silver ...     1,5" in place.succeed(*TRANSFORM, *KPIS)
    return place.lake


@pytest.fixture(scope="module")
def cluster(docker_client, images, tmp_path_factory) -> Iterator[Cluster]:
    require_compose()
    data, scratch = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("scratch")
    environment = clean_environment() | {
        "CLUSTER_NAME": NAME,
        "CLUSTER_USER": f"{os.getuid()}:{os.getgid()}",
        "DATA_VOLUME": str(data),
        "SCRATCH_VOLUME": str(scratch),
    }
    cluster = Cluster(docker_client, environment, data, scratch)
    try:
        cluster.up()
        yield cluster
    finally:
        cluster.compose("down", "--volumes", "--timeout", "5", "--remove-orphans")
    assert cluster.containers() == []


def rows(table: Table, lake: str) -> list[dict[str, Any]]:
    found = read(table, lake)
    assert found is not None, f"there is no {table.name}"
    return found.to_pylist()


def sorted_rows(table: Table, lake: str) -> list[dict[str, Any]]:
    return sorted(rows(table, lake), key=lambda row: row[next(iter(table.columns))])


def assert_equal_silver(lake: str, expected: str) -> None:
    for table in SILVER:
        assert sorted_rows(table, lake) == sorted_rows(table, expected), table.name


def assert_equal_gold(lake: str, expected: str) -> None:
    for table in GOLD:
        found, wanted = rows(table, lake), [nearly(row) for row in rows(table, expected)]
        # Of a thousand rows, those that differ are what a reader needs.
        differing = [pair for pair in zip(found, wanted, strict=True) if pair[0] != pair[1]]
        assert differing == [], f"{table.name}: {len(differing)} of {len(found)} rows differ"


def test_it_has_a_network_of_its_own_and_no_rights(cluster: Cluster) -> None:
    containers = cluster.containers()
    services = [container.labels["com.docker.compose.service"] for container in containers]

    assert {service: services.count(service) for service in sorted(set(services))} == SERVICES
    for container in containers:
        config = container.attrs["HostConfig"]
        assert (config["ReadonlyRootfs"], config["CapDrop"], config["Privileged"]) == (True, ["ALL"], False)
        assert config["PortBindings"] in (None, {})
        assert container.attrs["Config"]["User"] == cluster.environment["CLUSTER_USER"]
        assert list(container.attrs["NetworkSettings"]["Networks"]) == [NAME]


def test_tables_equal_those_of_the_embedded_engine(
    cluster: Cluster, payloads, expected: str, master: str
) -> None:
    lake = cluster.new_lake(f"undisturbed-{master[:2]}", payloads)

    with cluster.run(lake, master, *TRANSFORM, *KPIS) as run:
        run.succeed()

    assert_equal_silver(lake, expected)
    assert_equal_gold(lake, expected)


def test_a_worker_lost_while_files_are_written_costs_time_alone(
    cluster: Cluster, payloads, expected: str
) -> None:
    cluster.up()
    lake = cluster.new_lake("writing", payloads)
    silver = Path(SILVER_MOVIES.path(lake))

    with cluster.run(lake, DRIVER, *TRANSFORM) as run:
        run.await_event(lambda: list(silver.glob("written-*/_temporary/*/*")))
        [*_, worker] = cluster.workers().values()
        worker.kill()
        run.succeed()

    assert len(cluster.workers()) == 1
    assert_equal_silver(lake, expected)


def test_a_worker_lost_while_payloads_are_decoded_costs_time_alone(
    cluster: Cluster, payloads, expected: str
) -> None:
    cluster.up()
    lake = cluster.new_lake("decoding", payloads)
    before = cluster.decoded()

    with cluster.run(lake, SERVER, *TRANSFORM) as run:
        # The trial whether workers are fit is the first; then comes what the run is there for.
        run.await_event(lambda: (cluster.decoded() - before).total() > 1)
        [(address, _)] = (cluster.decoded() - before).most_common(1)
        cluster.workers()[address].kill()
        run.succeed()

    assert len(cluster.workers()) == 1
    assert_equal_silver(lake, expected)
