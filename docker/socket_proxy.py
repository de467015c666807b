"""A proxy of Docker's socket that allows Prefect's worker only what it needs to run one installation's jobs.

Any process that can call Docker's API can become root on the host. So the worker calls
`python docker/socket_proxy.py` instead, which listens at a socket in a volume that both mount. The proxy
creates containers of the installation's images with its volume and network, without privileges, and touches
no other containers. `JOB_IMAGES`, `DATA_VOLUME` and `JOB_NETWORK` name the installation's images, volume and
network. The proxy rejects all calls and values that are not listed below with status 403.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

SOCKET = "/var/run/docker.sock"
SERVED = "/run/docker-proxy/docker.sock"
DATA = "/data"
# Spark writes data here that do not fit into memory. The volume is deleted with the container.
SCRATCH = {"Type": "volume", "Target": "/scratch"}
# Label of containers that the proxy created; its value is the installation's network. It touches no others.
LABEL = "tmdb-movies.installation"
# A container inherits these labels from an image that compose built. Compose would take it for a service.
OF_COMPOSE = ("com.docker.compose.project", "com.docker.compose.service", "com.docker.compose.version")
MOST_PROCESSES = 4096
LARGEST_BODY = 2**20
CONNECT_SECONDS = 5.0
CONTAINER_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}")
API_VERSION = re.compile(r"v1\.\d{1,3}")
NO_ROOT = re.compile(r"[1-9]\d*(:[1-9]\d*)?")

Rule = Callable[[Any], bool]
Call = Callable[[Request], Any]


class Refusal(Exception):
    """The worker does not need such a call; the text says which part is not allowed."""


@dataclass(frozen=True)
class Installation:
    """The images, the volume and the network that jobs may use."""

    images: frozenset[str]
    volume: str
    network: str

    @classmethod
    def of_environment(cls, environment: Mapping[str, str]) -> Installation:
        """Read the variables that compose sets.

        Raises:
            KeyError: a variable is missing.
        """
        images = frozenset(environment["JOB_IMAGES"].split())
        volume = environment["DATA_VOLUME"]
        if volume.startswith("/"):
            # Without a slash at the end, as in the work pool.
            volume = os.path.normpath(volume)
        return cls(images, volume, environment["JOB_NETWORK"])


def is_text(value: Any) -> bool:
    return isinstance(value, str)


def is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def is_positive(value: Any) -> bool:
    return type(value) is int and value > 0


def is_process_limit(value: Any) -> bool:
    return type(value) is int and 0 < value <= MOST_PROCESSES


def is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(is_text, value))


def is_text_by_text(value: Any) -> bool:
    return isinstance(value, dict) and all(map(is_text, value.values()))


def is_user(value: Any) -> bool:
    return is_text(value) and bool(NO_ROOT.fullmatch(value))


def is_exactly(wanted: Any) -> Rule:
    # `1 == True` in Python, but Docker distinguishes them.
    return lambda value: type(value) is type(wanted) and value == wanted


def is_among(wanted: frozenset[str]) -> Rule:
    return lambda value: is_text(value) and value in wanted


def are_among(wanted: frozenset[str]) -> Rule:
    return lambda value: is_texts(value) and set(value) <= wanted


def container_rules(installation: Installation) -> dict[str, Rule]:
    """Return the fields that `POST /containers/create` may have, each with the rule for its value."""
    return {
        "Image": is_among(installation.images),
        "Cmd": is_texts,
        "Env": is_texts,
        "Labels": is_text_by_text,
        "User": is_user,
        "AttachStdout": is_flag,
        "AttachStderr": is_flag,
        # The client repeats here at which paths volumes are mounted.
        "Volumes": lambda value: isinstance(value, dict) and set(value) <= {DATA},
        # docker-py sends this beside `NetworkMode`, which decides.
        "NetworkingConfig": is_exactly({installation.network: None}),
        "HostConfig": lambda value: isinstance(value, dict),
    }


def host_rules(installation: Installation) -> dict[str, Rule]:
    """Return the fields that its `HostConfig` may have, each with the rule for its value."""
    bind = f"{installation.volume}:{DATA}"
    return {
        "Binds": are_among(frozenset((bind, f"{bind}:rw", f"{bind}:ro"))),
        "Mounts": is_exactly([SCRATCH]),
        "Tmpfs": is_text_by_text,
        "NetworkMode": is_exactly(installation.network),
        "AutoRemove": is_flag,
        "Init": is_flag,
        "Memory": is_positive,
        "MemorySwap": lambda value: type(value) is int,
        "CapDrop": is_exactly(["ALL"]),
        "SecurityOpt": is_exactly(["no-new-privileges:true"]),
        "ReadonlyRootfs": is_exactly(True),
        "PidsLimit": is_process_limit,
    }


# Docker's defaults for these fields allow more than a job needs.
REQUIRED = {
    "container": ("Image", "HostConfig"),
    "host": ("NetworkMode", "Memory", "CapDrop", "SecurityOpt", "ReadonlyRootfs", "PidsLimit"),
}


def checked(body: Any, installation: Installation) -> dict[str, Any]:
    """Check the body of `POST /containers/create`; return a new one with only the fields that are valid.

    Raises:
        Refusal: some part of it is not valid for a job.
    """
    container = _checked(body, container_rules(installation), REQUIRED["container"], "")
    host = _checked(container["HostConfig"], host_rules(installation), REQUIRED["host"], "HostConfig.")
    labels = container.get("Labels", {}) | dict.fromkeys(OF_COMPOSE, "") | {LABEL: installation.network}
    return container | {"HostConfig": host, "Labels": labels}


def _checked(given: Any, rules: dict[str, Rule], required: tuple[str, ...], where: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise Refusal(f"{where or 'the body'} is no object")
    # Clients also send fields that are not set. Leave them out: Docker reads `privileged` as `Privileged`.
    said = {name: value for name, value in given.items() if value not in (None, False, "", 0, [], {})}
    for name, value in said.items():
        if name not in rules:
            raise Refusal(f"{where}{name} may not be set")
        if not rules[name](value):
            raise Refusal(f"{where}{name} may not be {json.dumps(value)[:200]}")
    if missing := [name for name in required if name not in said]:
        raise Refusal(f"{where}{missing[0]} must be set")
    return said


class SocketProxy:
    """Forward the allowed calls; each is built from the parts that were checked."""

    def __init__(self, installation: Installation, socket: str = SOCKET) -> None:
        self._installation = installation
        self._label = f"{LABEL}={installation.network}"
        # No read timeout: a stream of logs or events may be silent for days.
        self._docker = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=socket),
            base_url="http://docker",
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
        )

    def app(self) -> Starlette:
        """Return the application for uvicorn."""
        calls: list[tuple[str, str, Call]] = [
            ("GET", "/_ping", self.ask("/_ping")),
            ("GET", "/version", self.ask("/version")),
            ("GET", "/images/{image:path}/json", self.inspect_image),
            ("POST", "/images/create", self.pull_image),
            ("GET", "/containers/json", self.ask("/containers/json", "all", "limit", "size")),
            ("POST", "/containers/create", self.create_container),
            ("GET", "/events", self.ask("/events", "since", "until")),
            ("GET", "/containers/{id}/json", self.touch("json")),
            (
                "GET",
                "/containers/{id}/logs",
                self.touch("logs", "stdout", "stderr", "follow", "tail", "timestamps", "since", "until"),
            ),
            ("POST", "/containers/{id}/start", self.touch("start")),
            ("POST", "/containers/{id}/wait", self.touch("wait", "condition")),
            ("POST", "/containers/{id}/stop", self.touch("stop", "t", "signal")),
            ("POST", "/containers/{id}/kill", self.touch("kill", "signal")),
            ("DELETE", "/containers/{id}", self.touch("", "v", "force")),
        ]
        routes: list[BaseRoute] = [
            Route(prefix + path, self.answer(call), methods=[method])
            for method, path, call in calls
            for prefix in ("", "/{version}")
        ]
        return Starlette(
            routes=routes,
            exception_handlers={404: not_needed, 405: not_needed},
            lifespan=lambda _: closing(self._docker),
        )

    def answer(self, call: Call) -> Call:
        """Wrap a call: report errors in Docker's format if it is rejected or if Docker does not answer."""

        async def answered(request: Request) -> Response:
            try:
                version = request.path_params.get("version")
                if version is not None and not API_VERSION.fullmatch(version):
                    raise Refusal(f"{request.url.path} is not needed")
                answer: Response = await call(request)
                return answer
            except Refusal as refusal:
                return refused(request, str(refusal))
            except httpx.HTTPError as error:
                return JSONResponse({"message": f"Docker does not answer: {error}"}, status_code=502)

        return answered

    def ask(self, path: str, *parameters: str) -> Call:
        """Return a call that reads from Docker; if it has parameters, only about the jobs' containers."""

        async def asked(request: Request) -> Response:
            query = chosen(request, *parameters)
            if parameters:
                query["filters"] = json.dumps(filtered(request.query_params.get("filters"), self._label))
            return await self.forward(request, path, query)

        return asked

    def touch(self, action: str, *parameters: str) -> Call:
        """Return a call that acts on a container that the proxy created."""

        async def touched(request: Request) -> Response:
            found = await self._docker.get(f"/containers/{container_name(request.path_params['id'])}/json")
            if found.is_error:
                return Response(found.content, found.status_code, media_type="application/json")
            container = found.json()
            labels = container["Config"]["Labels"] or {}
            if labels.get(LABEL) != self._installation.network:
                raise Refusal(f"{request.path_params['id']} is no job of this installation")
            path = "/".join(filter(None, ("/containers", container["Id"], action)))
            return await self.forward(request, path, chosen(request, *parameters))

        return touched

    async def inspect_image(self, request: Request) -> Response:
        """Inspect one of the installation's images."""
        image = self.image(request.path_params["image"])
        return await self.forward(request, f"/images/{image}/json", {})

    async def pull_image(self, request: Request) -> Response:
        """Pull one of the installation's images."""
        query = chosen(request, "fromImage", "tag")
        self.image(":".join(filter(None, (query.get("fromImage"), query.get("tag")))))
        return await self.forward(request, "/images/create", query)

    async def create_container(self, request: Request) -> Response:
        """Create a container, if all fields are valid for a job."""
        query = chosen(request, "name")
        if "name" in query:
            container_name(query["name"])
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_BODY:
                raise Refusal("the body is too large")
        try:
            given = json.loads(body)
        except ValueError:
            raise Refusal("the body is not JSON") from None
        return await self.forward(
            request, "/containers/create", query, json=checked(given, self._installation)
        )

    def image(self, name: str) -> str:
        """Return the name if it is an image of the installation.

        Raises:
            Refusal: it is not.
        """
        if name not in self._installation.images:
            raise Refusal(f"{name} is no image of this installation")
        return name

    async def forward(
        self, request: Request, path: str, query: dict[str, str], json: Any = None
    ) -> StreamingResponse:
        """Forward the call, and stream the answer back."""
        version = request.path_params.get("version")
        headers = {name: request.headers[name] for name in ("x-registry-auth",) if name in request.headers}
        sent = self._docker.build_request(
            request.method,
            f"/{version}{path}" if version else path,
            params=query,
            json=json,
            headers=headers,
        )
        answer = await self._docker.send(sent, stream=True)
        kept = {
            name: answer.headers[name] for name in ("content-type", "api-version") if name in answer.headers
        }
        return StreamingResponse(
            raw(answer), answer.status_code, headers=kept, background=BackgroundTask(answer.aclose)
        )


@asynccontextmanager
async def closing(client: httpx.AsyncClient) -> AsyncIterator[None]:
    async with client:
        yield


async def raw(answer: httpx.Response) -> AsyncIterator[bytes]:
    """Yield the bytes of an answer; close it if Docker or the client disconnects."""
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    finally:
        await answer.aclose()


def chosen(request: Request, *parameters: str) -> dict[str, str]:
    return {name: request.query_params[name] for name in parameters if name in request.query_params}


def container_name(name: str) -> str:
    if not CONTAINER_NAME.fullmatch(name):
        raise Refusal(f"{name!r} is no name of a container")
    return name


def filtered(given: str | None, label: str) -> dict[str, list[str]]:
    """Return the filters of a list, and add the filter for the jobs' containers."""
    try:
        filters = {name: list(values) for name, values in json.loads(given or "{}").items()}
    except (ValueError, TypeError, AttributeError):
        raise Refusal(f"filters may not be {given}") from None
    return filters | {"label": [*filters.get("label", []), label]}


def refused(request: Request, reason: str) -> JSONResponse:
    message = f"The socket proxy refuses {request.method} {request.url.path}: {reason}."
    sys.stderr.write(message.encode("unicode_escape").decode() + "\n")
    return JSONResponse({"message": message}, status_code=403)


async def not_needed(request: Request, _: Exception) -> JSONResponse:
    return refused(request, "no job needs it")


def main() -> None:
    app = SocketProxy(Installation.of_environment(os.environ)).app()
    # The socket gets mode 666, because the worker has another user.
    uvicorn.run(app, uds=SERVED, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
