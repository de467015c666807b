"""Apache Spark of the image with a lake in an object store."""

from __future__ import annotations

import httpx
import pytest

from movies.lake.gold_tables import GOLD
from movies.lake.tables import SILVER_MOVIES
from tests.docker.conftest import PROJECT_ROOT
from tests.docker.test_images import WITH_THE_ARCHIVE_OR_NOT_AT_ALL, output
from tests.movies.lake.s3_server import s3_server
from tests.places import Place

pytestmark = pytest.mark.docker

IMAGE = "tmdb-movies-spark:s3"


@pytest.fixture(scope="module")
def image(docker_client) -> str:
    docker_client.images.build(
        path=str(PROJECT_ROOT),
        dockerfile="docker/spark.Dockerfile",
        tag=IMAGE,
        buildargs={"OBJECT_STORE": "s3"},
        rm=True,
        forcerm=True,
    )
    return IMAGE


def test_the_pipeline_keeps_its_lake_in_a_store_with_spark_in_a_container(
    place: Place, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with s3_server() as store:
        httpx.put(f"{store['AWS_ENDPOINT_URL']}/movies", trust_env=False).raise_for_status()
        for name, value in store.items():
            monkeypatch.setenv(name, value)
        place.environment |= store | {
            "LAKE_ROOT": "s3://movies/lake",
            "SPARK_MASTER": "docker",
            "SPARK_IMAGE": image,
            "SPARK_NETWORK": "host",
        }

        said = place.succeed()

        assert "rows in silver ...        18" in said
        assert len(place.rows(SILVER_MOVIES, "id")) == 18
        for table in GOLD:
            place.rows(table, *table.columns)
        assert "Unchanged" in place.succeed(SPARK_MASTER="sc://127.0.0.1:9")


def test_the_jars_of_stores_leave_the_archive_of_classes_in_use(docker_client, image: str) -> None:
    assert output(docker_client, image, "python", "-c", WITH_THE_ARCHIVE_OR_NOT_AT_ALL).split()[-1] == "3"
