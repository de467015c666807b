"""What is in the images, and what they need where they run."""

from __future__ import annotations

import re
import shlex
import subprocess
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import docker
import pytest
import typer.main
from docker.models.containers import Container

from cli.app import app
from deployments.job_settings import revision
from movies.lake.delta import read
from movies.lake.tables import RAW_MOVIES
from movies.sandbox import Sandbox
from tests.docker.conftest import PROJECT_ROOT, RUN_SECONDS

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("images")]

FLOW, SPARK, FORECAST = "tmdb-movies-flow", "tmdb-movies-spark", "tmdb-movies-forecast"
# DuckDB, which `movies sql` needs, is 58 MB of each.
LARGEST_MB = {FLOW: 575, SPARK: 1320}
HEALTHY_SECONDS = 120.0
SPARK_ENGINES = ["pyspark", "pysail", "delta"]
# Java ends at once where it cannot use the archive of classes, and says why.
WITH_THE_ARCHIVE_OR_NOT_AT_ALL = """
import os
os.environ["SPARK_SUBMIT_OPTS"] = "-Xshare:on " + os.environ["SPARK_SUBMIT_OPTS"].replace("=off", "=warning")
from spark.engines.session import open_engine
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
    modules = [
        "flows.forecast",
        "movies.forecast.training",
        "movies.report.forecast_plots",
        "sklearn.ensemble",
    ]
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
        "org.opencontainers.image.revision": revision(),
    }
    assert len(revision().removesuffix("-dirty")) == 40


@pytest.mark.parametrize(
    ("image", "command"),
    [
        pytest.param(FLOW, ["cat"], id="flow"),
        pytest.param(SPARK, ["cat"], id="spark"),
        pytest.param(SPARK, None, id="server"),
        pytest.param(
            SPARK, ["python", "-m", "spark.engines.connect_server", "--port", "15009"], id="another-port"
        ),
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
    from movies.lake.tables import SILVER_MOVIES
    from tests.spark.lakes import fill_lake, read_expected_silver, read_payloads, read_rows

    lake = tmp_path / "lake"
    fill_lake(str(lake), read_payloads(shared_data / "data" / "tmdb_18_payloads.ndjson.gz"))
    for path in [tmp_path, *tmp_path.rglob("*")]:
        path.chmod(0o777)

    said = output(
        docker_client,
        SPARK,
        *("movies", "run", "--stage", "transform", "--spark-master", "local[2]", "--lake-root", "/data/lake"),
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


@pytest.mark.parametrize("image", [FLOW, FORECAST, SPARK])
@pytest.mark.parametrize(
    ("command", "answer"),
    [
        pytest.param(["--help"], "Fetch movies from TMDB into Delta tables", id="option"),
        pytest.param(["status"], "Lake at /data/", id="command"),
        pytest.param(["movies", "status"], "Lake at /data/", id="movies"),
        pytest.param(["prefect", "--version"], "3.8.8", id="prefect"),
        pytest.param(["python", "-c", "print(6 * 7)"], "42", id="python"),
        pytest.param(["sh", "-c", "echo $((6 * 7))"], "42", id="shell"),
    ],
)
def test_a_container_runs_commands_of_movies_and_any_program_of_its_image(
    docker_client, image: str, command: list[str], answer: str
) -> None:
    assert answer in output(docker_client, image, *command)


@pytest.mark.parametrize("image", [FLOW, FORECAST, SPARK])
def test_no_program_of_an_image_hides_a_command_of_movies(docker_client, image: str) -> None:
    commands = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    script = f"for name in {shlex.join(commands)}; do command -v $name; done; echo none else"

    assert {"run", "status", "backup"} < set(commands)
    assert output(docker_client, image, "sh", "-c", script) == "none else\n"


@pytest.mark.parametrize(
    ("image", "command", "sentence"),
    [
        pytest.param(
            FLOW,
            ["run"],
            "The stage transform needs the package pyspark, which is not installed here. Add --stage "
            "ingest to fetch only, or use the image tmdb-movies-spark.",
            id="stages",
        ),
        pytest.param(
            SPARK,
            ["forecast"],
            "A forecast needs the package scikit-learn, which is not installed here. Use the image "
            "tmdb-movies-forecast.",
            id="forecast",
        ),
    ],
)
def test_what_an_image_cannot_do_is_refused_with_the_image_that_can(
    docker_client, image: str, command: list[str], sentence: str
) -> None:
    container = docker_client.containers.run(image, command, detach=True)
    try:
        status = container.wait()["StatusCode"]
        assert (status, container.logs().decode()) == (2, f"Error: {sentence}\n")
    finally:
        container.remove(force=True)


def test_a_run_needs_no_known_user_and_writes_to_data_and_tmp_alone(docker_client, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)

    said = output(
        docker_client,
        FLOW,
        *("run", "--stage", "ingest"),
        user="4242:4242",
        network_mode="none",
        read_only=True,
        tmpfs={"/tmp": ""},
        cap_drop=["ALL"],
        volumes=[f"{tmp_path}:/data"],
        stderr=True,
    )

    assert "fetched ..........        18  (19 requests, 0 retries)" in said
    assert "cannot be used" not in said


def test_spark_says_that_it_needs_a_tmp_whose_files_can_be_executed(docker_client) -> None:
    script = "from spark.engines.session import open_engine; open_engine('local[1]')"
    container = docker_client.containers.run(
        SPARK, ["python", "-c", script], read_only=True, tmpfs={"/tmp": ""}, detach=True
    )
    try:
        container.wait()
        assert "Mount it with exec: for a container, --tmpfs /tmp:exec." in container.logs().decode()
    finally:
        container.remove(force=True)
    without = docker_client.containers.run(SPARK, ["status"], read_only=True, detach=True)
    try:
        status = without.wait()["StatusCode"]
        said = "Error: /tmp cannot be written. Start the container with --tmpfs /tmp:exec.\n"
        assert (status, without.logs().decode()) == (1, said)
    finally:
        without.remove(force=True)


@pytest.fixture
def start_run(docker_client, prefect_api: str, tmp_path: Path) -> Iterator[Callable[..., Container]]:
    """Starts a run in the flow image that goes to this machine's Prefect server and asks this sandbox."""
    tmp_path.chmod(0o777)
    containers = []

    def start(sandbox: Sandbox, *, init: bool) -> Container:
        container = docker_client.containers.run(
            FLOW,
            ["run", "--stage", "ingest", "--movie-ids", ",".join(map(str, range(1, 801)))],
            environment={
                "PREFECT_API_URL": prefect_api,
                "TMDB_BASE_URL": sandbox.base_url,
                "TMDB_API_KEY": sandbox.key,
                "INGESTION_BATCH_SIZE": "1000",
            },
            network_mode="host",
            volumes=[f"{tmp_path}:/data"],
            init=init,
            detach=True,
        )
        containers.append(container)
        return container

    yield start
    for container in containers:
        container.remove(force=True)


def stop(container: Container) -> tuple[int, str]:
    """Stop it as `docker stop` does, with ten seconds until it is killed; its status and last line."""
    container.stop(timeout=10)
    lines = container.logs().decode().splitlines()
    return container.wait()["StatusCode"], lines[-1] if lines else ""


def await_requests(sandbox: Sandbox, count: int, container: Container) -> None:
    deadline = time.monotonic() + RUN_SECONDS
    while sandbox.stats()["requests"] < count:
        container.reload()
        assert container.status == "running", container.logs().decode()
        assert time.monotonic() < deadline
        threading.Event().wait(0.05)


@pytest.mark.parametrize("init", [False, True])
def test_docker_stop_drains_a_run_to_a_checkpoint(start_run, tmp_path: Path, init: bool) -> None:
    with Sandbox(synthetic=800, faults={"latency_ms": 10}) as sandbox:
        container = start_run(sandbox, init=init)
        await_requests(sandbox, 60, container)

        status, last = stop(container)

        fetched = read(RAW_MOVIES, str(tmp_path / "lake"))["movie_id"].to_pylist()
        assert len(fetched) == sandbox.stats()["requests"]
    left = f"{len(fetched)} movies were fetched and are checkpointed, {800 - len(fetched)} are left"
    assert (status, last) == (143, f"Error: Terminated. {left}")


@pytest.mark.parametrize("init", [False, True])
def test_docker_stop_does_not_wait_for_a_server_that_does_not_answer(start_run, init: bool) -> None:
    with Sandbox(synthetic=800, faults={"latency_ms": 60_000}) as sandbox:
        container = start_run(sandbox, init=init)
        await_requests(sandbox, 1, container)

        status, last = stop(container)

    assert status == 143
    assert re.match(r"Error: Terminated[.:] ", last)


def test_docker_stop_ends_a_run_while_spark_starts(docker_client) -> None:
    container = docker_client.containers.run(SPARK, ["run"], network_mode="none", detach=True)
    try:
        deadline = time.monotonic() + RUN_SECONDS
        while not any("java" in " ".join(process) for process in container.top()["Processes"]):
            assert time.monotonic() < deadline, container.logs().decode()
            threading.Event().wait(0.2)

        said = "Error: Terminated: what is committed stays, and the next run goes on from there"
        assert stop(container) == (143, said)
    finally:
        container.remove(force=True)


@pytest.mark.parametrize("command", [["run", "--stage", "ingest"], ["sh", "-c", "sleep 600"]])
def test_docker_stop_ends_a_container_that_has_just_started(docker_client, command: list[str]) -> None:
    container = docker_client.containers.run(FLOW, command, network_mode="none", detach=True)
    try:
        assert stop(container)[0] == 143
    finally:
        container.remove(force=True)


def test_the_documented_prune_deletes_untagged_images_of_the_project_and_no_others(docker_client) -> None:
    page = (PROJECT_ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    [(command, label)] = re.findall(r"^(docker image prune .+ label=(\S+))$", page, re.MULTILINE)
    # Prefect, which builds them for deployments, adds labels of its own.
    assert all(label in docker_client.images.get(name).labels for name in (FLOW, FORECAST, SPARK))

    def build(label: str) -> str:
        file = BytesIO(f"FROM scratch\nLABEL {label}={time.monotonic_ns()}\n".encode())
        return str(docker_client.images.build(fileobj=file, rm=True)[0].id)

    ours, other = build(label), build("another-project")
    try:
        subprocess.run(shlex.split(command), check=True, capture_output=True)
        left = {image.id for image in docker_client.images.list(all=True)}
        assert (ours in left, other in left) == (False, True)
    finally:
        docker_client.images.remove(other)
