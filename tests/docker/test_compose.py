"""`docker compose up`: the whole service in one command, its data kept until asked otherwise."""

from __future__ import annotations

import io
import json
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import docker
import httpx
import pytest

from deployments.work_pool import image_names
from tests.docker.conftest import BUILD_SECONDS, PROJECT_ROOT, RUN_SECONDS, require_compose
from tests.places import clean_environment

pytestmark = pytest.mark.docker

NAME = "tmdb-movies-test"
COMPOSE = ["docker", "compose", "--file", "docker/compose.yaml"]
POSTGRES = "tmdb-movies-test-postgres"
IMAGES = image_names()
# Ends soon on any lake, and starts no other run.
UPKEEP = "maintain-lake/docker"
DATABASE_FILES, SOCKET = "/var/lib/postgresql/data", "/var/run/postgresql"
REACH = """
import socket, sys
for place in sys.argv[1:]:
    host, port = place.split(":")
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
        print("reached")
    except OSError:
        print("not")
"""
LOG_IN = """
import asyncio, asyncpg, sys
async def log_in():
    try:
        await (await asyncpg.connect(host="postgres", user="prefect", password=sys.argv[1])).close()
        print("logged in")
    except asyncpg.InvalidPasswordError:
        print("refused")
asyncio.run(log_in())
"""


@dataclass
class Compose:
    """The service as somebody at a terminal has it."""

    client: docker.DockerClient
    environment: dict[str, str]
    api: str

    def run(self, *arguments: str, **environment: str) -> None:
        """Run `docker compose …`, expecting success."""
        done = self.tried(*arguments, **environment)
        assert done.returncode == 0, done.stdout[-5000:]

    def tried(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `docker compose …`."""
        return subprocess.run(
            [*COMPOSE, *arguments],
            cwd=PROJECT_ROOT,
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=BUILD_SECONDS,
        )

    def up(self, **environment: str) -> None:
        # Not `--build`: compose has a cache of its own, and would make both images a second time.
        try:
            self.run("up", "--no-build", "--detach", "--wait", **environment)
        except AssertionError:
            sys.stdout.write(self.tried("logs", "--tail", "40").stdout)
            raise

    def deployment_run(self, deployment: str, **environment: str) -> int:
        command = [sys.executable, "-m", "prefect", "deployment", "run", deployment, "--watch"]
        done = subprocess.run(
            command,
            env=clean_environment() | {"PREFECT_API_URL": self.api} | environment,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
        )
        sys.stdout.write(done.stdout)
        return done.returncode

    def flow_runs(self, flow: str, auth: tuple[str, str] | None = None) -> int:
        body = {"flows": {"name": {"any_": [flow]}}}
        answer = httpx.post(f"{self.api}/flow_runs/count", json=body, auth=auth)
        return int(answer.raise_for_status().json())

    def service(self, name: str) -> Any:
        """The container of a service."""
        [found] = [one for one in self.containers() if one.labels["com.docker.compose.service"] == name]
        return found

    def jobs(self) -> list[Any]:
        """The containers of jobs, running or not."""
        label = f"tmdb-movies.installation={NAME}"
        found = self.client.containers.list(all=True, filters={"label": label}, ignore_removed=True)
        return list(found)

    def in_network(self, network: str, code: str, *arguments: str) -> str:
        """What a Python program says that runs as a job does, in a network."""
        output: bytes = self.client.containers.run(
            "tmdb-movies-flow", ["python", "-c", code, *arguments], network=network, remove=True
        )
        return output.decode().strip()

    def sources(self) -> dict[str, list[str]]:
        """The servers that the movies of each lake in the volume come from."""
        code = """
import json
from movies.lake.work_list import find_sources
print(json.dumps({name: sorted(find_sources(f"/data/{name}")) for name in ("lake", "sandbox")}))
"""
        said: bytes = self.client.containers.run(
            "tmdb-movies-flow", ["python", "-c", code], volumes=[f"{NAME}-data:/data"], remove=True
        )
        return dict(json.loads(said))

    def containers(self) -> list[Any]:
        # What compose takes for its own; a container of an image that it built has its name as well.
        labels = [f"com.docker.compose.project={NAME}", "com.docker.compose.config-hash"]
        return list(self.client.containers.list(all=True, filters={"label": labels}))

    def volumes(self) -> list[str]:
        return sorted(volume.name for volume in self.client.volumes.list(filters={"name": NAME}))


@pytest.fixture(scope="module")
def compose(docker_client, images) -> Iterator[Compose]:
    # As compose leaves the images that it builds itself.
    for image in IMAGES:
        labelled = io.BytesIO(f"FROM {image}".encode())
        labels = {"com.docker.compose.project": NAME, "com.docker.compose.service": "server"}
        docker_client.images.build(fileobj=labelled, labels=labels, tag=image, rm=True)
    with prepare_compose(docker_client, NAME) as compose:
        compose.up()
        yield compose
    assert (compose.containers(), compose.volumes()) == ([], [])


@contextmanager
def prepare_compose(client: docker.DockerClient, name: str) -> Iterator[Compose]:
    """The service under a name of its own, not yet up; it and its data are gone after the block."""
    require_compose()
    folder = str(PROJECT_ROOT / "tests" / "docker")
    client.images.build(path=folder, dockerfile="postgres.Dockerfile", tag=POSTGRES, rm=True)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listen = f"127.0.0.1:{listener.getsockname()[1]}"
    environment = clean_environment() | {
        "SERVICE_NAME": name,
        "PREFECT_LISTEN": listen,
        "POSTGRES_IMAGE": POSTGRES,
    }
    compose = Compose(client, environment, f"http://{listen}/api")
    try:
        yield compose
    finally:
        compose.run("down", "--volumes", "--timeout", "5")


def test_the_service_runs_the_pipeline_on_its_warm_spark_server_once(compose: Compose) -> None:
    assert compose.deployment_run("movie-pipeline/docker") == 0
    assert compose.deployment_run("movie-pipeline/docker") == 0

    assert compose.flow_runs("refresh-analytics") == 1
    assert_default_movies(compose.client, f"{NAME}-data")


def assert_default_movies(client: docker.DockerClient, volume: str, *options: str) -> None:
    """Ask `movies status` for a lake in a volume, which must have the default movies in all layers."""
    command = ["movies", "status", *options]
    status = client.containers.run("tmdb-movies-flow", command, volumes=[f"{volume}:/data"], remove=True)
    rows = dict(line.split()[:2] for line in status.decode().splitlines() if "/" in line)
    assert (rows["raw/movies"], rows["silver/movies"], rows["gold/overview"]) == ("18", "18", "1")


def test_a_second_up_with_nothing_changed_is_like_the_first(compose: Compose) -> None:
    compose.up()


def test_settings_come_from_the_shell_and_from_the_file_in_the_projects_folder(
    compose: Compose, tmp_path
) -> None:
    (tmp_path / ".env").write_text(
        "INGESTION_BATCH_SIZE=7\nLAKE_ROOT=s3://bucket/lake\nAWS_REGION=eu-north-1\nTMDB_API_KEY=0123456789\n"
    )
    shutil.copy(PROJECT_ROOT / "compose.yaml", tmp_path)
    (tmp_path / "docker").symlink_to(PROJECT_ROOT / "docker")
    environment = compose.environment | {"INGESTION_BATCH_SIZE": "8"}
    command = ["docker", "compose", "config", "--format", "json"]

    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    project = json.loads(done.stdout)
    assert project["name"] == NAME
    assert "TMDB_API_KEY=0123456789\n" in project["configs"]["keys"]["content"]
    services = project["services"]
    set_up = {name: value for name, value in services["setup"]["environment"].items() if value is not None}
    assert set_up == {
        "AWS_REGION": "eu-north-1",
        "DATA_USER": "1000:1000",
        "DATA_VOLUME": f"{NAME}-data",
        "INGESTION_BATCH_SIZE": "8",
        "JOB_NETWORK": NAME,
        "KEYS_FILE": "/home/movies/keys",
        "LAKE_ROOT": "s3://bucket/lake",
        "PREFECT_API_PASSWORD": "",
        "PREFECT_API_URL": "http://server:4200/api",
        "PREFECT_UI_URL": compose.api.removesuffix("/api"),
        "SPARK_MASTER": "sc://spark:15002",
    }
    assert services["spark"]["environment"]["AWS_REGION"] == "eu-north-1"


def test_the_user_interface_is_served_to_a_browser(compose: Compose) -> None:
    page = httpx.get(f"{compose.api.removesuffix('/api')}/dashboard", headers={"Accept": "text/html"})

    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "Prefect" in page.text


def test_nothing_is_reached_from_beyond_this_machine_and_no_job_has_the_docker_socket(
    compose: Compose,
) -> None:
    bound = {
        container.labels["com.docker.compose.service"]: container.attrs["HostConfig"]["PortBindings"] or {}
        for container in compose.containers()
    }
    addresses = [one["HostIp"] for ports in bound.values() for hosts in ports.values() for one in hosts]
    assert addresses == ["127.0.0.1"]
    with_socket = [
        container.labels["com.docker.compose.service"]
        for container in compose.containers()
        if "docker.sock" in json.dumps(container.attrs["HostConfig"]["Binds"])
    ]
    assert with_socket == ["docker"]


def test_a_job_reaches_the_api_and_spark_and_neither_database_nor_worker(compose: Compose) -> None:
    places = {"server": ["server:4200"], "spark": ["spark:15002"]}
    for service, port in (("postgres", 5432), ("worker", 8080)):
        networks = compose.service(service).attrs["NetworkSettings"]["Networks"].values()
        places[service] = [f"{service}:{port}", *(f"{network['IPAddress']}:{port}" for network in networks)]

    found = {
        service: set(compose.in_network(NAME, REACH, *wanted).split()) for service, wanted in places.items()
    }

    assert found == {
        "server": {"reached"},
        "spark": {"reached"},
        "postgres": {"not"},
        "worker": {"not"},
    }
    # The socket proxy is in no network at all: the worker has its socket by a volume.
    assert list(compose.service("docker").attrs["NetworkSettings"]["Networks"]) == ["none"]


def test_the_socket_proxy_refuses_the_worker_what_is_no_job(compose: Compose) -> None:
    code = """
import docker
client = docker.from_env()
for ask in (
    lambda: client.containers.run("tmdb-movies-flow:latest", volumes=["/./run:/data"]),
    lambda: client.containers.get("tmdb-movies-test-postgres-1"),
    lambda: client.volumes.list(),
):
    try:
        ask()
    except docker.errors.APIError as error:
        print(error.response.status_code, end=" ")
print(client.ping(), client.containers.list(all=True))
"""
    output = compose.service("worker").exec_run(["python", "-c", code]).output.decode().strip()

    assert output == "403 403 403 True []"
    assert "The socket proxy refuses POST " in compose.service("docker").logs().decode()


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"volumes": ["/./run:/r"]}, "job_variables.volumes[0]: '/./run:/r' is not one of "),
        ({"env": {"tmdb_api_key": "k"}}, "job_variables.env: 'tmdb_api_key' is not one of "),
    ],
    ids=["volume", "key"],
)
def test_a_run_whose_variables_prefect_does_not_validate_gets_no_container(
    compose: Compose, variables: dict[str, Any], sentence: str
) -> None:
    """As one has that is created without a deployment, by whoever reaches the API."""
    with httpx.Client(base_url=f"{compose.api}/", timeout=30) as api:
        [flow] = api.post("flows/filter", json={"flows": {"name": {"any_": ["ingest-movies"]}}}).json()
        run = {
            "flow_id": flow["id"],
            "work_pool_name": "movies-docker",
            "job_variables": variables,
            "state": {"type": "SCHEDULED"},
        }
        path = f"flow_runs/{api.post('flow_runs/', json=run).raise_for_status().json()['id']}"
        deadline = time.monotonic() + RUN_SECONDS
        while (state := api.get(path).json()["state"])["type"] != "CRASHED":
            assert time.monotonic() < deadline, state
            threading.Event().wait(0.2)

    assert f"JobRefusedError: The work pool does not allow {sentence}" in state["message"]
    label = f"io.prefect.flow-run-id={path.removeprefix('flow_runs/')}"
    assert compose.client.containers.list(all=True, filters={"label": label}) == []


def test_services_run_as_users_of_their_own_within_a_read_only_root(compose: Compose) -> None:
    users = {}
    for service in ("server", "worker", "spark", "postgres", "docker"):
        container = compose.service(service)
        command = ["sh", "-c", "id -un 2>/dev/null || id -u; grep CapEff /proc/1/status; touch /new 2>&1"]
        user, effective, *refused = container.exec_run(command).output.decode().splitlines()
        assert effective.split()[1] == "0" * 16
        assert "Read-only file system" in refused[0]
        users[service] = user

    assert users == {
        "server": "movies",
        "worker": "movies",
        "spark": "movies",
        "postgres": "postgres",
        "docker": "root",
    }


def test_a_job_runs_without_privileges_and_is_no_service_to_compose(compose: Compose) -> None:
    statuses: list[int] = []
    run = threading.Thread(target=lambda: statuses.append(compose.deployment_run(UPKEEP)))
    run.start()
    job = await_job(compose, run)
    attributes = job.attrs
    run.join()

    assert statuses == [0]
    host = attributes["HostConfig"]
    assert {
        name: host[name]
        for name in ("ReadonlyRootfs", "CapDrop", "SecurityOpt", "PidsLimit", "Privileged", "Binds")
    } == {
        "ReadonlyRootfs": True,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges:true"],
        "PidsLimit": 1024,
        "Privileged": False,
        "Binds": [f"{NAME}-data:/data"],
    }
    assert list(attributes["NetworkSettings"]["Networks"]) == [NAME]
    labels = attributes["Config"]["Labels"]
    assert {labels[name] for name in labels if name.startswith("com.docker.compose")} == {""}


def test_data_and_history_outlive_the_service_and_a_key_ends_in_a_secret_block_alone(
    compose: Compose,
) -> None:
    key, before = secrets.token_hex(16), compose.flow_runs("maintain-lake")
    assert before > 0
    operate(compose.api)
    as_set = operated(compose.api)
    compose.run("down", "--timeout", "5")
    volumes = ("data", "docker", "postgres", "secrets", "socket")
    assert compose.volumes() == [f"{NAME}-{name}" for name in volumes]

    compose.up(TMDB_API_KEY=key, TMDB_BASE_URL="http://tmdb:8080/3")

    assert compose.flow_runs("maintain-lake") == before
    assert operated(compose.api) == as_set
    assert as_set[2:] == (True, {"source": "ids"})
    # From a trial to movies of a server: each has a lake of its own.
    server = ["python", "-m", "movies.sandbox", "--host", "0.0.0.0", "--key", key]
    tmdb = compose.client.containers.run(
        "tmdb-movies-flow", server, name="tmdb", hostname="tmdb", network=NAME, detach=True, auto_remove=True
    )
    try:
        assert compose.deployment_run("movie-pipeline/docker") == 0
    finally:
        tmdb.kill()
    assert compose.sources() == {"lake": ["http://tmdb:8080/3"], "sandbox": ["sandbox"]}
    secret = f"{compose.api}/block_types/slug/secret/block_documents/name/tmdb-api-key"
    block = httpx.get(secret, params={"include_secrets": True})
    assert block.raise_for_status().json()["data"] == {"value": key}
    containers = compose.containers()
    services = sorted(container.labels["com.docker.compose.service"] for container in containers)
    assert services == [
        "docker",
        "forecast",
        "postgres",
        "prepare",
        "server",
        "setup",
        "spark",
        "worker",
    ]
    for container in containers:
        assert key not in json.dumps(container.attrs)
        assert key not in container.logs().decode(errors="replace")
    assert not in_layers(compose.service("setup"), key.encode())


def operate(api: str) -> None:
    """Set parameters of the pipeline's deployment and switch its schedule on, as the UI does."""
    deployment = httpx.get(f"{api}/deployments/name/movie-pipeline/docker").raise_for_status().json()
    [schedule] = deployment["schedules"]
    path = f"{api}/deployments/{deployment['id']}"
    parameters = deployment["parameters"] | {"max_minutes": 90}
    httpx.patch(path, json={"parameters": parameters}).raise_for_status()
    change = {"active": True, "parameters": {"source": "ids"}}
    httpx.patch(f"{path}/schedules/{schedule['id']}", json=change).raise_for_status()


def operated(api: str) -> tuple[dict[str, Any], str, bool, dict[str, Any]]:
    """The deployment's parameters; its schedule, whether that is on, and its parameters."""
    deployment = httpx.get(f"{api}/deployments/name/movie-pipeline/docker").raise_for_status().json()
    [schedule] = deployment["schedules"]
    return deployment["parameters"], schedule["schedule"]["cron"], schedule["active"], schedule["parameters"]


def test_a_job_holds_up_the_end_of_the_service_until_it_is_stopped_as_the_page_says(compose: Compose) -> None:
    page = (PROJECT_ROOT / "docs" / "operating.md").read_text()
    commands = [line for line in page.splitlines() if line.startswith(("docker stop ", "docker rm "))]
    compose.client.containers.run(
        "tmdb-movies-flow",
        ["sleep", "600"],
        init=True,
        network=NAME,
        volumes=[f"{NAME}-data:/data"],
        labels={"tmdb-movies.installation": NAME},
        detach=True,
    )

    held_up = compose.tried("down", "--timeout", "5")
    for command in commands:
        own = command.replace("=tmdb-movies)", f"={NAME})")
        subprocess.run(own, shell=True, check=True, capture_output=True)
    compose.run("down", "--timeout", "5")

    assert len(commands) == 2

    assert f"Network {NAME}" in held_up.stdout and "still in use" in held_up.stdout
    assert (compose.containers(), compose.jobs()) == ([], [])


def test_a_database_of_an_older_version_gets_a_password_and_owner_and_keeps_its_history(
    compose: Compose,
) -> None:
    """With the password `prefect`, no volume `secrets`, and files of another user, as of another image."""
    compose.run("down", "--timeout", "5")
    with postgres_alone(compose.client) as database:
        alter = ["psql", "--username=prefect", "--command=ALTER ROLE prefect PASSWORD 'prefect'"]
        assert database.exec_run(alter).exit_code == 0
    own = ["chown", "-R", "12345:12345", DATABASE_FILES, SOCKET]
    volumes = [f"{NAME}-postgres:{DATABASE_FILES}", f"{NAME}-socket:{SOCKET}"]
    compose.client.containers.run(POSTGRES, own, user="root", volumes=volumes, remove=True)
    compose.client.volumes.get(f"{NAME}-secrets").remove()

    compose.up()

    assert compose.flow_runs("maintain-lake") > 0
    assert compose.in_network(f"{NAME}-database", LOG_IN, "prefect") == "refused"
    password = compose.service("server").exec_run(["cat", "/secrets/database"]).output.decode()
    assert compose.in_network(f"{NAME}-database", LOG_IN, password) == "logged in"
    assert len(password) == 48
    for container in compose.containers():
        assert password not in json.dumps(container.attrs)
        assert password not in container.logs().decode(errors="replace")


def test_a_password_guards_the_api_and_jobs_have_it(compose: Compose) -> None:
    password = "p:$4 " + secrets.token_hex(8)
    compose.up(PREFECT_API_PASSWORD=password)

    body = {"flows": {"name": {"any_": ["movie-pipeline"]}}}
    statuses = [
        httpx.post(f"{compose.api}/flow_runs/count", json=body, auth=auth).status_code
        for auth in (None, ("admin", "wrong"), ("admin", password))
    ]
    assert statuses == [401, 401, 200]
    client = {"PREFECT_API_AUTH_STRING": f"admin:{password}"}
    assert compose.deployment_run(UPKEEP, **client) == 0
    assert password not in compose.service("worker").logs().decode(errors="replace")


def test_an_api_beyond_this_machine_needs_a_password_unless_it_was_open_in_version_0_1_0(
    compose: Compose,
) -> None:
    for open_to_all in ("0.0.0.0:4200", "4200", "[::]:4200"):
        new = {"SERVICE_NAME": f"{NAME}-new", "PREFECT_LISTEN": open_to_all}
        refused = compose.tried("run", "--rm", "-T", "--no-deps", "prepare", **new)
        assert refused.returncode == 1
        assert (
            f"PREFECT_LISTEN={open_to_all} lets other machines use Prefect's API. Set PREFECT_API_PASSWORD."
            in refused.stdout
        )
        with_password = compose.tried(
            "run", "--rm", "-T", "--no-deps", "prepare", **new, PREFECT_API_PASSWORD="p"
        )
        assert (with_password.returncode, "PREFECT_LISTEN" in with_password.stdout) == (0, False)
    compose.run("down", "--volumes", SERVICE_NAME=f"{NAME}-new")

    def prepare(listen: str) -> tuple[int, bool]:
        done = compose.tried("run", "--rm", "-T", "--no-deps", "prepare", PREFECT_LISTEN=listen)
        warning = "WARNING: other machines can use Prefect's API and read the TMDB key."
        return done.returncode, warning in done.stdout

    # A trial on loopback is not opened by a slip.
    assert prepare("0.0.0.0:4200") == (1, False)
    # Version 0.1.0 had no volume of this name.
    compose.run("down", "--timeout", "5")
    compose.client.volumes.get(f"{NAME}-secrets").remove()
    assert [prepare("0.0.0.0:4200"), prepare("0.0.0.0:4200")] == [(0, True), (0, True)]
    # Closed once, it is not opened again.
    assert [prepare("127.0.0.1:4200"), prepare("0.0.0.0:4200")] == [(0, False), (1, False)]


@contextmanager
def postgres_alone(client: docker.DockerClient) -> Iterator[Any]:
    """The database without the rest of the service, until the block ends."""
    volumes = [f"{NAME}-postgres:{DATABASE_FILES}"]
    database = client.containers.run(POSTGRES, volumes=volumes, detach=True)
    try:
        deadline = time.monotonic() + RUN_SECONDS
        while database.exec_run(["pg_isready"]).exit_code != 0:
            assert time.monotonic() < deadline, database.logs().decode()
            threading.Event().wait(0.1)
        yield database
    finally:
        database.stop()
        database.remove()


def await_job(compose: Compose, run: threading.Thread) -> Any:
    """The container of the only job, while it is there."""
    while not (found := compose.jobs()):
        assert run.is_alive(), "the run has ended"
        threading.Event().wait(0.05)
    return found[0]


def in_layers(container: Any, text: bytes) -> bool:
    """Whether a container's file system, all its layers together, has a text somewhere."""
    before = b""
    for chunk in container.export():
        if text in before + chunk:
            return True
        before = chunk[-len(text) :]
    return False
