"""The service's backup and restore, by the very commands of `docs/backup.md`."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import httpx
import pytest

from movies.lake.delta import read
from movies.lake.tables import RAW_MOVIES
from movies.sandbox import Sandbox
from tests.docker.conftest import BUILD_SECONDS, PROJECT_ROOT
from tests.docker.test_compose import prepare_compose

pytestmark = [pytest.mark.docker, pytest.mark.long]

NAME = "tmdb-movies-backup-test"
COMPOSE = "docker compose"
LAKE = "/data/lake"
PAGE = PROJECT_ROOT / "docs" / "backup.md"
# Nobody that the images or the machine know.
OPERATOR = 4242
AS_OPERATOR = f"""
id() {{ echo {OPERATOR}; }}
mkdir() {{ command mkdir "$@" && chown {OPERATOR}:{OPERATOR} "$@"; }}
"""


def documented(block: str) -> str:
    """The commands of a block of the page."""
    [commands] = re.findall(rf"^```sh {block}\n(.+?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return str(commands)


@dataclass
class Service:
    """The service as an operator has it."""

    docker: docker.DockerClient
    environment: dict[str, str]
    home: Path
    api: str

    def shell(self, script: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=PROJECT_ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=BUILD_SECONDS,
        )
        assert done.returncode == 0, done.stdout[-5000:]
        return done.stdout

    def in_data(self, *command: str, **environment: str) -> str:
        """Run something in the flow image, with the volume of data and this machine's loopback."""
        options = {"volumes": [f"{NAME}-data:/data"], "network_mode": "host", "remove": True}
        said = self.docker.containers.run("tmdb-movies-flow", [*command], environment=environment, **options)
        return str(said, "utf-8")

    def ingest(self, sandbox: Sandbox, *options: str) -> None:
        """Fetch movies into the lake of a server that is not the bundled sandbox."""
        settings = {"TMDB_BASE_URL": sandbox.base_url, "TMDB_API_KEY": sandbox.key}
        self.in_data("run", "--stage", "ingest", "--lake-root", LAKE, *options, **settings)

    def movies(self) -> int:
        """How many rows the lake's raw movies have."""
        [rows] = re.findall(r"raw/movies +(\d+) ", self.in_data("status", "--lake-root", LAKE))
        return int(rows)

    def post(self, path: str, body: object) -> object:
        return httpx.post(f"{self.api}/{path}", json=body, timeout=60).raise_for_status().json()

    def secret(self) -> object:
        path = f"{self.api}/block_types/slug/secret/block_documents/name/kept"
        return httpx.get(path, params={"include_secrets": True}).raise_for_status().json()["data"]


@pytest.fixture
def service(docker_client, images, tmp_path: Path) -> Iterator[Service]:
    # Others have to get to the backup in it.
    tmp_path.chmod(0o755)
    with prepare_compose(docker_client, NAME) as compose:
        environment = compose.environment | {"HOME": str(tmp_path)}
        # Where Docker finds its plugins.
        environment.setdefault("DOCKER_CONFIG", str(Path.home() / ".docker"))
        service = Service(docker_client, environment, tmp_path, compose.api)
        service.shell(f"{COMPOSE} up --no-build --detach --wait server")
        yield service


def test_lake_and_database_are_backed_up_and_restored_as_the_page_says(service: Service) -> None:
    with Sandbox() as sandbox:
        back_up_and_restore(service, sandbox)


def back_up_and_restore(service: Service, sandbox: Sandbox) -> None:
    service.ingest(sandbox)
    secret_type = httpx.get(f"{service.api}/block_types/slug/secret").json()["id"]
    of_secrets = {"block_schemas": {"block_type_id": {"any_": [secret_type]}}}
    schemas = service.post("block_schemas/filter", of_secrets)
    assert isinstance(schemas, list)
    document = {"block_type_id": secret_type, "block_schema_id": schemas[0]["id"], "data": {"value": "k3y"}}
    service.post("block_documents/", document | {"name": "kept"})
    service.post("flows/", {"name": "kept"})

    service.shell(AS_OPERATOR + documented("backup"))

    [backup] = service.home.glob("movies-backup-*")
    assert len(read(RAW_MOVIES, str(backup / "lake"))) == 18
    assert {path.stat().st_uid for path in (backup / "lake").rglob("*")} == {OPERATOR}
    assert (backup / "prefect.dump").stat().st_mode & 0o777 == 0o600

    service.ingest(sandbox, "--refresh")
    assert service.movies() == 36
    service.post("flows/", {"name": "made later"})
    dump = (backup / "prefect.dump").read_bytes()
    with pytest.raises(AssertionError, match="File exists"):
        # On the same day.
        service.shell(AS_OPERATOR + documented("backup"))
    assert (backup / "prefect.dump").read_bytes() == dump
    restore = documented("restore").replace("movies-backup-2026-11-24", backup.name)
    service.shell(restore)

    assert service.movies() == 18
    owners = service.in_data("sh", "-c", f"find {LAKE} -printf '%U\\n' | sort -u")
    assert owners == "1000\n"
    names = [flow["name"] for flow in service.post("flows/filter", {})]  # type: ignore[attr-defined]
    assert ("kept" in names, "made later" in names) == (True, False)
    assert service.secret() == {"value": "k3y"}

    # A new machine, whose service is not started yet.
    service.shell(f"{COMPOSE} down --volumes --timeout 5")
    commands = [line for line in restore.splitlines() if not re.search(r" (stop|mv) ", line)]
    assert commands.pop() == f"{COMPOSE} up --detach --wait"
    service.shell("\n".join(commands))

    assert service.movies() == 18
    query = "SELECT name FROM flow WHERE name IN ('kept', 'made later')"
    psql = f'{COMPOSE} exec -T postgres psql --username=prefect --tuples-only --no-align --command "{query}"'
    assert service.shell(psql) == "kept\n"
