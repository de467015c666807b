"""`SPARK_MASTER=docker`: what comes out of it, and that nothing is left of it however it ends."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container

from movies.lake.tables import SILVER_MOVIES
from spark.engines.container import LABEL
from spark.engines.session import CONNECT_MODE, EngineDied, EngineOptions, EngineUnavailable, open_engine
from tests.places import RUN_SECONDS, Place
from tests.spark.engines.test_engines_agree import check_same, grid, tables_of
from tests.spark.lakes import fill_lake, read_expected_silver, read_payloads, read_rows
from tests.spark.transforming import transform

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("images")]

# Less than the heap may grow by.
ROOM_BYTES = 64 * 2**20
FULL_HEAP = "SELECT size(collect_list(repeat(cast(id AS string), 1000))) FROM range(10000000)"


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EngineOptions:
    monkeypatch.setenv(CONNECT_MODE, "1")
    return EngineOptions(lake_root=str(tmp_path / "lake"), network="host", driver_memory="1g", cores=2)


@pytest.fixture
def engines(docker_client: docker.DockerClient) -> Callable[[], list[Container]]:
    """The containers of engines, running or not; none before a test, and none after."""

    def found() -> list[Container]:
        return list(
            docker_client.containers.list(all=True, filters={"label": f"{LABEL}=spark"}, ignore_removed=True)
        )

    assert found() == []
    return found


def await_engines(engines: Callable[[], list[Container]], count: int) -> None:
    deadline = time.monotonic() + RUN_SECONDS
    while len(engines()) != count:
        assert time.monotonic() < deadline, f"{engines()} instead of {count}"
        threading.Event().wait(0.1)


def test_real_movies_come_out_as_from_the_reference_written_by_the_lake_s_owner(
    options: EngineOptions, engines: Callable[[], list[Container]], shared_data: Path, caplog
) -> None:
    assert options.lake_root is not None
    fill_lake(options.lake_root, read_payloads(shared_data / "data" / "tmdb_18_payloads.ndjson.gz"))
    caplog.set_level(logging.INFO, "spark.engines.container")

    with open_engine("docker", options) as engine:
        transform(engine.session, options.lake_root)
        [container] = engines()
        config = container.attrs["HostConfig"]

    expected = read_expected_silver(shared_data / "reference" / "expected_silver_18.ndjson.gz")
    assert read_rows(options.lake_root, SILVER_MOVIES, by="id") == expected
    owners = {path.stat().st_uid for path in Path(options.lake_root).rglob("*")}
    assert owners == {os.getuid()}
    assert "default log4j profile" in caplog.text, "Spark's log is part of the run's"
    assert (config["ReadonlyRootfs"], config["CapDrop"], config["Privileged"]) == (True, ["ALL"], False)
    assert engines() == []


def test_every_field_with_every_odd_value_comes_out_as_on_the_embedded_engine(options: EngineOptions) -> None:
    found = {}
    for master in ("sail", "docker"):
        lake_root = f"{options.lake_root}/{master}"
        fill_lake(lake_root, list(grid()))
        with open_engine(master, options) as engine:
            found[master] = transform(engine.session, lake_root), tables_of(engine, lake_root)

    check_same(found["sail"], found["docker"])


@pytest.mark.parametrize("network", ["host", "bridge"])
def test_two_engines_at_the_same_time_do_not_meet(
    options: EngineOptions, engines: Callable[[], list[Container]], docker_client, network: str
) -> None:
    if network not in [found.name for found in docker_client.networks.list()]:
        network = "host"  # an engine without bridges has this one alone
    options = replace(options, network=network, driver_memory="512m")

    with open_engine("docker", options) as one, open_engine("docker", options) as other:
        assert len(engines()) == 2
        assert (one.session.range(3).count(), other.session.range(4).count()) == (3, 4)

    assert engines() == []


def test_a_container_that_needs_too_much_memory_is_told_as_such(
    options: EngineOptions, engines: Callable[[], list[Container]]
) -> None:
    with (
        open_engine("docker", options) as engine,
        pytest.raises(EngineDied, match="needed more memory than its container has: raise SPARK_"),
        engine.deaths_explained(),
    ):
        [container] = engines()
        limit = container.stats(stream=False)["memory_stats"]["usage"] + ROOM_BYTES
        container.update(mem_limit=limit, memswap_limit=limit)
        engine.session.sql(FULL_HEAP).collect()

    assert engines() == []


def test_a_full_heap_is_told_as_such(options: EngineOptions, engines: Callable[[], list[Container]]) -> None:
    with (
        open_engine("docker", replace(options, driver_memory="512m")) as engine,
        pytest.raises(EngineDied, match="its heap is full: raise SPARK_DRIVER_MEMORY"),
        engine.deaths_explained(),
    ):
        engine.session.sql(FULL_HEAP).collect()

    assert engines() == []


def test_a_missing_image_is_told_with_the_command_that_builds_it(options: EngineOptions) -> None:
    with pytest.raises(
        EngineUnavailable, match=r"There is no image nobody/built-it. Build it with `docker build -f"
    ):
        open_engine("docker", replace(options, image="nobody/built-it"))


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_a_run_that_is_ended_leaves_no_container(
    place: Place, engines: Callable[[], list[Container]], number: signal.Signals, status: int
) -> None:
    process = place.start(SPARK_MASTER="docker", SPARK_NETWORK="host")
    await_engines(lambda: [one for one in engines() if one.status == "running"], 1)

    process.send_signal(number)
    process.communicate(timeout=RUN_SECONDS)

    assert process.returncode == status
    await_engines(engines, 0)


def test_the_whole_pipeline_runs_on_it(place: Place, engines: Callable[[], list[Container]]) -> None:
    said = place.succeed(SPARK_MASTER="docker", SPARK_NETWORK="host", SPARK_DRIVER_MEMORY="1g")

    assert "rows in silver ...        18" in said
    assert engines() == []
    log = (place.folder / "output" / "logs" / "etl.log").read_text()
    assert "spark.engines.container" in log
