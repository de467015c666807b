"""Old runs go from a server on Postgres as they go from one on SQLite, and leave nothing in its tables."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import docker
import pytest
from docker.models.containers import Container

from tests.cli.test_prune import (  # noqa: F401
    api,
    prune,
    test_nothing_is_left_of_old_runs_and_their_parts_in_whatever_state,
    test_of_pictures_the_newest_versions_stay_and_all_versions_of_anything_else,
    test_old_runs_of_our_flows_go_with_their_artifacts_and_logs_and_others_stay,
)
from tests.docker.conftest import PROJECT_ROOT, RUN_SECONDS
from tests.flows.prefect_runs import Api
from tests.prefect_servers import started

pytestmark = pytest.mark.docker

IMAGE = "tmdb-movies-test-postgres"
# Rows of something that is gone.
ORPHANS = """
SELECT (SELECT count(*) FROM flow_run_state WHERE flow_run_id NOT IN (SELECT id FROM flow_run)),
       (SELECT count(*) FROM task_run WHERE flow_run_id NOT IN (SELECT id FROM flow_run)),
       (SELECT count(*) FROM task_run_state WHERE task_run_id NOT IN (SELECT id FROM task_run)),
       (SELECT count(*) FROM log WHERE flow_run_id NOT IN (SELECT id FROM flow_run)),
       (SELECT count(*) FROM artifact WHERE flow_run_id NOT IN (SELECT id FROM flow_run)),
       (SELECT count(*) FROM artifact_collection WHERE latest_id NOT IN (SELECT id FROM artifact))
"""


@pytest.fixture(scope="module")
def postgres(docker_client: docker.DockerClient) -> Iterator[Container]:
    folder = str(PROJECT_ROOT / "tests" / "docker")
    docker_client.images.build(path=folder, dockerfile="postgres.Dockerfile", tag=IMAGE, rm=True)
    container = docker_client.containers.run(
        IMAGE,
        environment=dict.fromkeys(("POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD"), "prefect"),
        ports={"5432/tcp": ("127.0.0.1", None)},
        detach=True,
    )
    try:
        deadline = time.monotonic() + RUN_SECONDS
        while container.exec_run(["pg_isready", "--username=prefect", "--host=127.0.0.1"]).exit_code:
            assert time.monotonic() < deadline, container.logs().decode()
            threading.Event().wait(0.2)
        container.reload()
        yield container
    finally:
        container.remove(force=True, v=True)


@pytest.fixture(scope="module")
def prefect_api(postgres: Container, tmp_path_factory) -> Iterator[str]:
    """A server on Postgres, in the place of the one on SQLite."""
    [port] = postgres.ports["5432/tcp"]
    home = tmp_path_factory.mktemp("prefect")
    database = f"postgresql+asyncpg://prefect:prefect@127.0.0.1:{port['HostPort']}/prefect"
    settings = {
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": database,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    }
    with started(settings, home) as url:
        yield url


def test_no_row_of_a_run_that_is_gone_stays_in_the_database(api: Api, postgres: Container) -> None:  # noqa: F811
    gone = api.add_run("movie-pipeline", 91, "prune-rows")
    api.add_task(gone, "prune-rows")
    api.add_run("movie-pipeline", 1, "prune-rows")

    prune()

    assert api.left_of(gone) == {}
    query = ["psql", "--username=prefect", "--dbname=prefect", "--tuples-only", "--no-align"]
    status, rows = postgres.exec_run([*query, "--command", ORPHANS])
    assert (status, rows.decode()) == (0, "0|0|0|0|0|0\n")
