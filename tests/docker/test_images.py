"""What is in the images, and what they need where they run."""

from __future__ import annotations

import time
import tomllib
from pathlib import Path

import docker
import pytest

from tests.docker.conftest import PROJECT_ROOT

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("images")]

FLOW, SPARK = "tmdb-movies-flow", "tmdb-movies-spark"
FORECAST = "tmdb-movies-forecast"
LARGEST_MB = {FLOW: 500, SPARK: 1250}
HEALTHY_SECONDS = 120.0
SPARK_ENGINES = ["pyspark", "pysail", "delta"]
# Java ends at once where it cannot use the archive of classes, and says why.
WITH_THE_ARCHIVE_OR_NOT_AT_ALL = """
import os
os.environ["SPARK_SUBMIT_OPTS"] = "-Xshare:on " + os.environ["SPARK_SUBMIT_OPTS"].replace("=off", "=warning")
from spark.session import open_engine
with open_engine("local[1]") as engine:
    print(engine.session.range(3).count())
"""


def output(client: docker.DockerClient, image: str, *command: str, **options: object) -> str:
    return client.containers.run(image, list(command), remove=True, **options).decode()


@pytest.mark.parametrize("image", [FLOW, SPARK])
def test_an_image_is_no_larger_than_it_may_be(docker_client: docker.DockerClient, image: str) -> None:
    assert docker_client.images.get(image).attrs["Size"] / 1e6 <= LARGEST_MB[image]


def test_the_flow_image_has_no_spark_and_no_java_and_the_spark_image_has_both(docker_client) -> None:
    script = (
        "from importlib.util import find_spec; from shutil import which\n"
        f"print(*[bool(find_spec(name)) for name in {SPARK_ENGINES}], bool(which('java')))"
    )

    assert output(docker_client, FLOW, "python", "-c", script).split() == ["False"] * 4
    assert output(docker_client, SPARK, "python", "-c", script).split() == ["True", "False", "True", "True"]


def test_the_forecast_image_has_what_learns_and_draws_and_no_engine(docker_client) -> None:
    modules = ["flows.forecast", "forecast.training", "report.forecast_plots", "sklearn.ensemble"]
    script = (
        "from importlib import import_module; from importlib.util import find_spec\n"
        f"[import_module(name) for name in {modules}]\n"
        f"print(*[bool(find_spec(name)) for name in {SPARK_ENGINES}])"
    )

    assert output(docker_client, FORECAST, "python", "-c", script).split() == ["False"] * 3


@pytest.mark.parametrize("image", [FLOW, SPARK])
def test_an_image_runs_as_a_user_who_may_write_the_data_folder_and_not_the_code(docker_client, image) -> None:
    config = docker_client.images.get(image).attrs["Config"]
    script = "id -u; test -w /data/lake && echo data; test -w /app || echo no code; ls -A /app"

    said = output(docker_client, image, "sh", "-c", script).split("\n")

    assert config["User"] == "1000:1000"
    # A volume of the image would be left behind, without a name, by each container that mounts no other.
    assert config["Volumes"] is None
    assert said[:3] == ["1000", "data", "no code"]
    assert not {".env", ".git", "tests", "data", "output"} & set(said[3:])


@pytest.mark.parametrize(
    ("image", "title", "description"),
    [
        (
            FLOW,
            "TMDB movie pipeline: flows",
            "Fetches movies from TMDB into Delta tables, and runs Prefect's worker and server.",
        ),
        (
            SPARK,
            "TMDB movie pipeline: Spark",
            "Apache Spark with Delta, as Spark Connect server or in the flow's process.",
        ),
    ],
)
def test_an_image_says_what_it_is(docker_client, image: str, title: str, description: str) -> None:
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())["project"]
    labels = docker_client.images.get(image).labels

    assert {name: value for name, value in labels.items() if name.startswith("org.opencontainers")} == {
        "org.opencontainers.image.title": title,
        "org.opencontainers.image.description": description,
        "org.opencontainers.image.version": project["version"],
        "org.opencontainers.image.revision": "",
    }


@pytest.mark.parametrize(
    ("image", "command"),
    [
        pytest.param(FLOW, ["cat"], id="flow"),
        pytest.param(SPARK, ["cat"], id="spark"),
        pytest.param(SPARK, None, id="server"),
        pytest.param(SPARK, ["python", "-m", "spark.connect_server", "--port", "15009"], id="another-port"),
    ],
)
def test_a_container_is_healthy_when_it_can_do_what_it_was_started_for(
    docker_client, image: str, command: list[str] | None
) -> None:
    check = docker_client.images.get(image).attrs["Config"]["Healthcheck"]["Test"][1:]
    container = docker_client.containers.run(image, command, detach=True, stdin_open=True, init=True)
    try:
        deadline = time.monotonic() + HEALTHY_SECONDS
        answers = [container.exec_run(check)]
        # Spark's server takes seconds to answer; a job is ready as it starts.
        while command != ["cat"] and answers[-1].exit_code != 0:
            assert time.monotonic() < deadline, answers[-1].output
            answers.append(container.exec_run(check))
    finally:
        container.remove(force=True)

    assert answers[-1] == (0, b"")
    if command != ["cat"]:
        assert b"Spark Connect does not answer" in answers[0].output


def test_a_container_that_cannot_write_its_data_is_not_healthy(docker_client) -> None:
    script = "python docker/check_health.py; echo status $?"

    said = output(
        docker_client, SPARK, "sh", "-c", script, read_only=True, tmpfs={"/tmp": "exec"}, stderr=True
    )

    assert said.splitlines() == ["/data cannot be written", "status 1"]


def test_spark_needs_no_network_no_capabilities_no_known_user_and_no_writable_image(
    docker_client, tmp_path: Path, shared_data: Path
) -> None:
    from lake.delta import create
    from lake.tables import FETCH_FAILURES, RAW_MOVIES, SILVER, SILVER_MOVIES
    from tests.spark.lakes import append_payloads, read_expected_silver, read_payloads, read_rows

    lake = tmp_path / "lake"
    for table in (RAW_MOVIES, FETCH_FAILURES, *SILVER):
        create(table, str(lake))
    append_payloads(str(lake), read_payloads(shared_data / "data" / "tmdb_18_payloads.ndjson.gz"))
    for path in [tmp_path, *tmp_path.rglob("*")]:
        path.chmod(0o777)

    said = output(
        docker_client,
        SPARK,
        *("movies", "run", "--stage", "transform", "--spark-master", "local[2]"),
        environment={"PREFECT_HOME": "/tmp/prefect"},
        user="4242:4242",
        network_mode="none",
        read_only=True,
        tmpfs={"/tmp": "exec"},
        cap_drop=["ALL"],
        volumes=[f"{tmp_path}:/data"],
    )

    assert "rows in silver ...        18" in said
    expected = read_expected_silver(shared_data / "reference" / "expected_silver_18.ndjson.gz")
    assert read_rows(str(lake), SILVER_MOVIES, by="id") == expected


def test_the_archive_of_classes_is_used_by_every_spark_of_the_image(docker_client) -> None:
    assert output(docker_client, SPARK, "python", "-c", WITH_THE_ARCHIVE_OR_NOT_AT_ALL).split()[-1] == "3"


def test_the_command_line_is_there(docker_client) -> None:
    assert "Movies from TMDB into Delta tables" in output(docker_client, FLOW, "movies", "--help")
