"""What the worker may ask of Docker: docker-py, as the worker uses it, before a fake engine."""

from __future__ import annotations

import asyncio
import json
import runpy
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest
import uvicorn
from docker.errors import APIError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from deployments.work_pool import image_names, work_pool_template
from movies.settings import load_settings
from tests.conftest import PROJECT_ROOT

PROXY = runpy.run_path(str(PROJECT_ROOT / "docker" / "socket_proxy.py"))
NETWORK, VOLUME, IMAGE = "tmdb-movies", "tmdb-movies-data", "tmdb-movies-flow:latest"
JOB, OTHER = "a" * 64, "b" * 64
LABELS = {
    "com.docker.compose.project": "",
    "com.docker.compose.service": "",
    "com.docker.compose.version": "",
}


class Engine:
    """A Docker engine that has a job and another container, and keeps what it was asked."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.created: list[Any] = []
        self.second_line = threading.Event()

    def app(self) -> Starlette:
        every = Route("/{path:path}", self.answer, methods=["GET", "POST", "PUT", "DELETE", "HEAD"])
        return Starlette(routes=[every])

    async def answer(self, request: Request) -> Response:
        path = request.url.path.removeprefix("/v1.41")
        self.asked.append((request.method, path, dict(request.query_params)))
        if path == "/version":
            return JSONResponse({"ApiVersion": "1.41", "Version": "20.10.24"})
        if path == "/containers/create":
            self.created.append(await request.json())
            return JSONResponse({"Id": JOB}, status_code=201)
        if path == "/containers/json":
            return JSONResponse([])
        if path.endswith("/json") and path.startswith("/containers/"):
            return self.inspected(path.split("/")[2])
        if path.endswith("/logs"):
            return StreamingResponse(self.lines(), media_type="application/octet-stream")
        if path.endswith("/wait"):
            return JSONResponse({"StatusCode": 0})
        if path == "/images/create":
            return PlainTextResponse('{"status": "pulling"}\n')
        if path.startswith("/images/"):
            return JSONResponse({"Id": "sha256:1", "RepoTags": [IMAGE]})
        return PlainTextResponse("OK")

    def inspected(self, name: str) -> Response:
        labels = {JOB: {PROXY["LABEL"]: NETWORK}, OTHER: {PROXY["LABEL"]: "another"}, "postgres": None}
        if name not in labels:
            return JSONResponse({"message": f"No such container: {name}"}, status_code=404)
        config = {"Labels": labels[name], "Tty": False}
        return JSONResponse({"Id": name, "Name": "/job", "Config": config, "State": {"Status": "exited"}})

    async def lines(self) -> Any:
        yield frame(b"first\n")
        await asyncio.to_thread(self.second_line.wait, 30)
        yield frame(b"second\n")


def frame(line: bytes) -> bytes:
    """A line of standard output, as the engine marks it."""
    return struct.pack(">BxxxL", 1, len(line)) + line


@contextmanager
def serving(app: Starlette, **where: Any) -> Iterator[uvicorn.Server]:
    """A server in a thread, which listens once the block begins."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", **where))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.01)
        assert thread.is_alive()
    try:
        yield server
    finally:
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, str]]:
    """An engine, and where the proxy before it answers."""
    engine = Engine()
    installation = PROXY["Installation"].of_environment(
        {"JOB_IMAGES": " ".join(image_names()), "DATA_VOLUME": VOLUME, "JOB_NETWORK": NETWORK}
    )
    socket = str(tmp_path_factory.mktemp("run") / "docker.sock")
    with serving(engine.app(), uds=socket):
        proxy = PROXY["SocketProxy"](installation, socket)
        with serving(proxy.app(), host="127.0.0.1", port=0) as server:
            yield engine, f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"


@pytest.fixture
def engine(served: tuple[Engine, str]) -> Engine:
    """The engine, which has not been asked for anything yet."""
    engine = served[0]
    engine.forget()
    return engine


@pytest.fixture
def address(served: tuple[Engine, str]) -> str:
    return served[1]


@pytest.fixture
def client(address: str) -> Iterator[docker.DockerClient]:
    client = docker.DockerClient(base_url=f"tcp://{address}")
    yield client
    client.close()


def job(**changes: Any) -> dict[str, Any]:
    """What the worker asks docker-py for, with the work pool's fixed arguments."""
    template = work_pool_template("docker", load_settings(job_network=NETWORK))
    return {
        "image": IMAGE,
        "network": NETWORK,
        "network_mode": None,
        "command": "prefect flow-run execute",
        "environment": {"PREFECT_HOME": "/home/movies/.prefect"},
        "auto_remove": True,
        "labels": {"io.prefect.flow-run-id": "1", **dict.fromkeys(LABELS, "tmdb-movies")},
        "extra_hosts": None,
        "name": "busy-bee",
        "volumes": [f"{VOLUME}:/data"],
        "mem_limit": "1g",
        "memswap_limit": None,
        "privileged": False,
        **template["job_configuration"]["container_create_kwargs"],
        "user": "1000:1000",
        **changes,
    }


def test_a_job_is_created_as_the_worker_asks_for_it_under_a_label_of_its_own(
    engine: Engine, client: docker.DockerClient
) -> None:
    container = client.containers.create(**job())

    assert container.id == JOB
    assert engine.created == [
        {
            "Image": IMAGE,
            "Cmd": ["prefect", "flow-run", "execute"],
            "User": "1000:1000",
            "Env": ["PREFECT_HOME=/home/movies/.prefect"],
            "AttachStdout": True,
            "AttachStderr": True,
            "Volumes": {"/data": {}},
            "NetworkingConfig": {NETWORK: None},
            "Labels": {"io.prefect.flow-run-id": "1", PROXY["LABEL"]: NETWORK, **LABELS},
            "HostConfig": {
                "AutoRemove": True,
                "Binds": [f"{VOLUME}:/data"],
                "CapDrop": ["ALL"],
                "Init": True,
                "Memory": 2**30,
                "Mounts": [{"Type": "volume", "Target": "/scratch"}],
                "NetworkMode": NETWORK,
                "PidsLimit": 1024,
                "ReadonlyRootfs": True,
                "SecurityOpt": ["no-new-privileges:true"],
                "Tmpfs": {"/tmp": "exec,mode=1777", "/home/movies": "mode=1777"},
            },
        }
    ]
    assert ("POST", "/containers/create", {"name": "busy-bee"}) in engine.asked


MOUNT = {"Type": "bind", "Source": "/run", "Target": "/scratch"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"privileged": True}, "HostConfig.Privileged may not be set"),
        ({"cap_add": ["SYS_ADMIN"]}, "HostConfig.CapAdd may not be set"),
        ({"cap_drop": None}, "HostConfig.CapDrop must be set"),
        ({"security_opt": None}, "HostConfig.SecurityOpt must be set"),
        ({"mem_limit": None}, "HostConfig.Memory must be set"),
        (
            {"security_opt": ["no-new-privileges:true", "seccomp=unconfined"]},
            'HostConfig.SecurityOpt may not be ["no-new-privileges:true", "seccomp=unconfined"]',
        ),
        ({"read_only": False}, "HostConfig.ReadonlyRootfs must be set"),
        ({"pids_limit": None}, "HostConfig.PidsLimit must be set"),
        ({"pids_limit": -1}, "HostConfig.PidsLimit may not be -1"),
        ({"pid_mode": "host"}, "HostConfig.PidMode may not be set"),
        ({"ipc_mode": "host"}, "HostConfig.IpcMode may not be set"),
        ({"uts_mode": "host"}, "HostConfig.UTSMode may not be set"),
        ({"userns_mode": "host"}, "HostConfig.UsernsMode may not be set"),
        ({"devices": ["/dev/sda:/dev/sda"]}, "HostConfig.Devices may not be set"),
        ({"device_cgroup_rules": ["a *:* rwm"]}, "HostConfig.DeviceCgroupRules may not be set"),
        ({"volumes_from": ["postgres"]}, "HostConfig.VolumesFrom may not be set"),
        ({"runtime": "other"}, "HostConfig.Runtime may not be set"),
        ({"extra_hosts": {"server": "192.0.2.1"}}, "HostConfig.ExtraHosts may not be set"),
        ({"ports": {"80/tcp": 80}}, "ExposedPorts may not be set"),
        ({"user": "0:0"}, 'User may not be "0:0"'),
        ({"user": "root"}, 'User may not be "root"'),
        ({"image": "alpine"}, 'Image may not be "alpine"'),
        ({"image": "tmdb-movies-flow:old"}, 'Image may not be "tmdb-movies-flow:old"'),
        ({"network": "host"}, 'NetworkingConfig may not be {"host": null}'),
        ({"network": None, "network_mode": "host"}, 'HostConfig.NetworkMode may not be "host"'),
        (
            {"network": None, "network_mode": "container:postgres"},
            'HostConfig.NetworkMode may not be "container:postgres"',
        ),
        ({"mounts": [MOUNT]}, f"HostConfig.Mounts may not be [{json.dumps(MOUNT)}]"),
        *(
            ({"volumes": [volume]}, f'HostConfig.Binds may not be ["{volume}"]')
            for volume in (
                "/var/run/docker.sock:/data",
                "/./run:/data",
                "/var/../run:/data",
                "/proc/1/root/run:/data",
                "tmdb-movies-postgres:/data",
            )
        ),
        ({"volumes": [f"{VOLUME}:/app"]}, 'Volumes may not be {"/app": {}}'),
    ],
    ids=lambda value: None if isinstance(value, str) else json.dumps(value),
)
def test_a_container_that_is_no_job_is_refused_and_never_asked_for(
    changes: dict[str, Any], reason: str, engine: Engine, client: docker.DockerClient
) -> None:
    with pytest.raises(APIError) as refusal:
        client.containers.create(**job(**changes))

    assert refusal.value.response.status_code == 403
    assert refusal.value.explanation.endswith(f"/containers/create: {reason}.")
    assert engine.created == []


def test_a_setting_that_docker_would_read_in_other_letters_is_refused_or_left_out(
    engine: Engine, address: str
) -> None:
    checked = PROXY["checked"]
    body = {
        "Image": IMAGE,
        "HostConfig": {
            "NetworkMode": NETWORK,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges:true"],
            "ReadonlyRootfs": True,
            "PidsLimit": 10,
            "Memory": 2**30,
        },
    }
    create = f"http://{address}/v1.41/containers/create"

    weakened = body | {"HostConfig": body["HostConfig"] | {"readonlyrootfs": False, "capdrop": []}}
    assert httpx.post(create, json=weakened).status_code == 201
    for worse in (
        {"hostconfig": {"Privileged": True}},
        {"HostConfig": body["HostConfig"] | {"privileged": True}},
    ):
        assert httpx.post(create, json=body | worse).status_code == 403
    twice = json.dumps(body)[:-1] + ', "HostConfig": {"Privileged": true}}'
    assert httpx.post(create, content=twice).status_code == 403

    installation = PROXY["Installation"](frozenset(image_names()), VOLUME, NETWORK)
    assert engine.created == [checked(body, installation)]


def test_a_job_is_started_watched_ended_and_removed(engine: Engine, client: docker.DockerClient) -> None:
    engine.second_line.set()
    found = client.containers.get(JOB)

    found.start()
    assert found.logs() == b"first\nsecond\n"
    assert found.wait() == {"StatusCode": 0}
    found.stop(timeout=3)
    found.kill()
    found.remove(force=True)

    assert [
        asked for asked in engine.asked if asked[1].startswith("/containers/") and "/json" not in asked[1]
    ] == [
        ("POST", f"/containers/{JOB}/start", {}),
        (
            "GET",
            f"/containers/{JOB}/logs",
            {"stderr": "1", "stdout": "1", "timestamps": "0", "follow": "0", "tail": "all"},
        ),
        ("POST", f"/containers/{JOB}/wait", {}),
        ("POST", f"/containers/{JOB}/stop", {"t": "3"}),
        ("POST", f"/containers/{JOB}/kill", {}),
        ("DELETE", f"/containers/{JOB}", {"v": "False", "force": "True"}),
    ]


def test_logs_are_handed_on_line_by_line_while_the_job_goes_on(
    engine: Engine, client: docker.DockerClient
) -> None:
    lines = client.containers.get(JOB).logs(stream=True)

    assert next(lines) == b"first\n"
    engine.second_line.set()
    assert list(lines) == [b"second\n"]


@pytest.mark.parametrize("name", [OTHER, "postgres"])
@pytest.mark.parametrize(
    "touch",
    [
        lambda api, name: api.inspect_container(name),
        lambda api, name: api.start(name),
        lambda api, name: api.logs(name),
        lambda api, name: api.wait(name),
        lambda api, name: api.stop(name),
        lambda api, name: api.kill(name),
        lambda api, name: api.remove_container(name),
    ],
    ids=["inspect", "start", "logs", "wait", "stop", "kill", "remove"],
)
def test_a_container_that_was_not_created_here_is_not_touched(
    touch: Callable[[Any, str], Any], name: str, engine: Engine, client: docker.DockerClient
) -> None:
    with pytest.raises(APIError) as refusal:
        touch(client.api, name)

    assert refusal.value.response.status_code == 403
    asked = {(method, path) for method, path, _ in engine.asked if path != "/version"}
    assert asked == {("GET", f"/containers/{name}/json")}


def test_a_container_that_is_gone_is_not_found_as_the_engine_says_it(client: docker.DockerClient) -> None:
    with pytest.raises(docker.errors.NotFound, match="No such container: gone"):
        client.containers.get("gone")


def test_lists_and_events_are_of_jobs_alone_whatever_is_asked_for(
    engine: Engine, client: docker.DockerClient, address: str
) -> None:
    client.containers.list(all=True, filters={"label": "io.prefect.flow-run-id"})
    httpx.get(f"http://{address}/events", params={"filters": '{"event": {"die": true}}', "since": "5"})
    httpx.get(f"http://{address}/containers/json")

    label = f"{PROXY['LABEL']}={NETWORK}"
    asked = [(path, json.loads(query["filters"])) for _, path, query in engine.asked if "filters" in query]
    assert asked == [
        ("/containers/json", {"label": ["io.prefect.flow-run-id", label]}),
        ("/events", {"event": ["die"], "label": [label]}),
        ("/containers/json", {"label": [label]}),
    ]


def test_only_the_installations_images_are_looked_at_and_pulled(
    engine: Engine, client: docker.DockerClient
) -> None:
    client.images.get(IMAGE)
    list(client.api.pull("tmdb-movies-flow", tag="latest", stream=True))

    for ask in (lambda: client.images.get("alpine"), lambda: client.api.pull("alpine", tag="latest")):
        with pytest.raises(APIError, match=r"alpine(:latest)? is no image of this installation"):
            ask()
    assert [path for _, path, _ in engine.asked if path.startswith("/images")] == [
        f"/images/{IMAGE}/json",
        "/images/create",
    ]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/info"),
        ("GET", "/secrets"),
        ("GET", "/networks"),
        ("POST", "/networks/tmdb-movies-database/connect"),
        ("GET", "/volumes"),
        ("GET", "/images/json"),
        ("POST", "/build"),
        ("POST", "/commit"),
        ("POST", "/auth"),
        ("POST", f"/containers/{JOB}/exec"),
        ("POST", f"/containers/{JOB}/update"),
        ("POST", f"/containers/{JOB}/attach"),
        ("GET", f"/containers/{JOB}/archive"),
        ("PUT", f"/containers/{JOB}/archive"),
        ("GET", f"/containers/{JOB}/export"),
        ("POST", "/containers/prune"),
        ("POST", "/exec/1/start"),
        ("POST", "/plugins/pull"),
        ("POST", "/swarm/init"),
        ("GET", f"/containers/..%2F..%2Fimages%2F{IMAGE}/json"),
        ("DELETE", "/containers/a%3Fb"),
        ("GET", "/v1.41%2F..%2Fx/version"),
    ],
)
def test_other_calls_are_refused_and_never_made(method: str, path: str, engine: Engine, address: str) -> None:
    for prefix in ("", "/v1.41"):
        answer = httpx.request(method, f"http://{address}{prefix}{path}")

        assert answer.status_code == 403
        assert answer.json()["message"].startswith(f"The socket proxy refuses {method} ")
    assert engine.asked == []


def test_an_engine_that_does_not_answer_is_said(tmp_path: Path) -> None:
    installation = PROXY["Installation"](frozenset((IMAGE,)), VOLUME, NETWORK)
    proxy = PROXY["SocketProxy"](installation, str(tmp_path / "no.sock"))
    with serving(proxy.app(), host="127.0.0.1", port=0) as server:
        port = server.servers[0].sockets[0].getsockname()[1]
        answer = httpx.get(f"http://127.0.0.1:{port}/_ping")

    assert answer.status_code == 502
    assert answer.json()["message"].startswith("Docker does not answer: ")


@pytest.mark.parametrize("folder", ["/srv/movies", "/srv/movies/", "/srv//movies", "/srv/./movies"])
def test_a_folder_of_the_host_is_the_same_however_it_is_written(folder: str) -> None:
    environment = {"JOB_IMAGES": IMAGE, "DATA_VOLUME": folder, "JOB_NETWORK": NETWORK}

    assert PROXY["Installation"].of_environment(environment).volume == "/srv/movies"
