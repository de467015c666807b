"""What is in the images, and what they need where they run."""

from __future__ import annotations

from pathlib import Path

import docker
import pytest

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("images")]

FLOW, SPARK = "tmdb-movies-flow", "tmdb-movies-spark"
LARGEST_MB = {FLOW: 500, SPARK: 1250}
SPARK_ENGINES = ["pyspark", "pysail", "delta"]


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


@pytest.mark.parametrize("image", [FLOW, SPARK])
def test_an_image_runs_as_a_user_who_may_write_the_data_folder_and_not_the_code(docker_client, image) -> None:
    config = docker_client.images.get(image).attrs["Config"]
    script = "id -u; test -w /data/lake && echo data; test -w /app || echo no code; ls -A /app"

    said = output(docker_client, image, "sh", "-c", script).split("\n")

    assert config["User"] == "1000:1000"
    assert config["Healthcheck"]["Test"] == ["CMD", "test", "-w", "/data"]
    assert config["Labels"]["org.opencontainers.image.title"].startswith("TMDB movie pipeline")
    assert said[:3] == ["1000", "data", "no code"]
    assert not {".env", ".git", "tests", "data", "output"} & set(said[3:])


def test_spark_needs_no_network_no_capabilities_no_known_user_and_no_writable_image(
    docker_client, tmp_path: Path, shared_data: Path
) -> None:
    from lake.delta import create
    from lake.tables import FETCH_FAILURES, QUARANTINE, RAW_MOVIES, SILVER_MOVIES
    from tests.spark.lakes import append_payloads, read_expected_silver, read_payloads, read_rows

    lake = tmp_path / "lake"
    for table in (RAW_MOVIES, FETCH_FAILURES, SILVER_MOVIES, QUARANTINE):
        create(table, str(lake))
    append_payloads(str(lake), read_payloads(shared_data / "data" / "tmdb_18_payloads.ndjson.gz"))
    for path in [tmp_path, *tmp_path.rglob("*")]:
        path.chmod(0o777)
    script = (
        "from spark.session import open_engine; from spark.transform import transform\n"
        "with open_engine('local[2]') as engine: print(transform(engine.session, '/data/lake').movies)"
    )

    said = output(
        docker_client,
        SPARK,
        "python",
        "-c",
        script,
        user="4242:4242",
        network_mode="none",
        read_only=True,
        tmpfs={"/tmp": "exec"},
        cap_drop=["ALL"],
        volumes=[f"{tmp_path}:/data"],
    )

    assert said.split()[-1] == "18"
    expected = read_expected_silver(shared_data / "reference" / "expected_silver_18.ndjson.gz")
    assert read_rows(str(lake), SILVER_MOVIES, by="id") == expected


def test_the_archive_of_classes_is_used_by_every_spark_of_the_image(docker_client) -> None:
    script = (
        "import os; os.environ['SPARK_SUBMIT_OPTS'] = '-Xshare:on ' + os.environ['SPARK_SUBMIT_OPTS']"
        ".replace('=off', '=warning')\n"
        "from spark.session import open_engine\n"
        "with open_engine('local[1]') as engine: print(engine.session.range(3).count())"
    )

    assert output(docker_client, SPARK, "python", "-c", script).split()[-1] == "3"


def test_the_command_line_is_there(docker_client) -> None:
    assert "Movies from TMDB into Delta tables" in output(docker_client, FLOW, "movies", "--help")
