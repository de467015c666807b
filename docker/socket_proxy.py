"""Docker's socket for a worker of Prefect's, as far as it needs it to run the jobs of one installation.

Whoever may speak to Docker is root on the host, so the worker speaks to `python docker/socket_proxy.py`
instead, which listens at a socket in a volume of the two. It creates containers of the installation's images
with its volume and network, without privileges, and touches no other containers. `JOB_IMAGES`,
`DATA_VOLUME` and `JOB_NETWORK` say what the installation has. Everything that is not named below is refused
with status 403.
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
# Where Spark puts what does not fit into memory: on a disk of its own, which goes with the container.
SCRATCH = {"Type": "volume", "Target": "/scratch"}
# Of containers that were created here, with the installation's network as its value: no other one is touched.
LABEL = "tmdb-movies.installation"
# Compose labels the images that it builds, a container inherits them, and would pass for one of its services.
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
    """The call is not one that the worker needs; the text says which part of it."""


@dataclass(frozen=True)
class Installation:
    """What the containers of jobs may be made of."""

    images: frozenset[str]
    volume: str
    network: str

    @classmethod
    def of_environment(cls, environment: Mapping[str, str]) -> Installation:
        """Read what compose says.

        Raises:
            KeyError: a variable is missing.
        """
        images = frozenset(environment["JOB_IMAGES"].split())
        volume = environment["DATA_VOLUME"]
        if volume.startswith("/"):
            # As the work pool has it: without a slash at the end.
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
    # `1 == True`, and Docker tells them apart.
    return lambda value: type(value) is type(wanted) and value == wanted


def is_among(wanted: frozenset[str]) -> Rule:
    return lambda value: is_text(value) and value in wanted


def are_among(wanted: frozenset[str]) -> Rule:
    return lambda value: is_texts(value) and set(value) <= wanted


def container_rules(installation: Installation) -> dict[str, Rule]:
    """What `POST /containers/create` may say, and of each what it may be."""
    return {
        "Image": is_among(installation.images),
        "Cmd": is_texts,
        "Env": is_texts,
        "Labels": is_text_by_text,
        "User": is_user,
        "AttachStdout": is_flag,
        "AttachStderr": is_flag,
        # Where the client says once more at which paths volumes are mounted.
        "Volumes": lambda value: isinstance(value, dict) and set(value) <= {DATA},
        # As docker-py says it beside `NetworkMode`, which is what counts.
        "NetworkingConfig": is_exactly({installation.network: None}),
        "HostConfig": lambda value: isinstance(value, dict),
    }


def host_rules(installation: Installation) -> dict[str, Rule]:
    """What its `HostConfig` may say."""
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


# Docker's defaults give more than a job needs.
REQUIRED = {
    "container": ("Image", "HostConfig"),
    "host": ("NetworkMode", "Memory", "CapDrop", "SecurityOpt", "ReadonlyRootfs", "PidsLimit"),
}


def checked(body: Any, installation: Installation) -> dict[str, Any]:
    """The body of `POST /containers/create`, made of nothing but what passed the rules.

    Raises:
        Refusal: some part of it is not a job's.
    """
    container = _checked(body, container_rules(installation), REQUIRED["container"], "")
    host = _checked(container["HostConfig"], host_rules(installation), REQUIRED["host"], "HostConfig.")
    labels = container.get("Labels", {}) | dict.fromkeys(OF_COMPOSE, "") | {LABEL: installation.network}
    return container | {"HostConfig": host, "Labels": labels}


def _checked(given: Any, rules: dict[str, Rule], required: tuple[str, ...], where: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise Refusal(f"{where or 'the body'} is no object")
    # Clients send what is not set, too. It is left out: `privileged` and `Privileged` are the same to Docker.
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
    """The calls that pass, each built anew from the parts of it that were checked."""

    def __init__(self, installation: Installation, socket: str = SOCKET) -> None:
        self._installation = installation
        self._label = f"{LABEL}={installation.network}"
        # A stream of logs or events may be silent for days.
        self._docker = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=socket),
            base_url="http://docker",
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
        )

    def app(self) -> Starlette:
        """The application, for uvicorn."""
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
        """The call, with refusals and an engine that does not answer as Docker would say them."""

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
        """A question about the engine, or about the jobs' containers alone."""

        async def asked(request: Request) -> Response:
            query = chosen(request, *parameters)
            if parameters:
                query["filters"] = json.dumps(filtered(request.query_params.get("filters"), self._label))
            return await self.forward(request, path, query)

        return asked

    def touch(self, action: str, *parameters: str) -> Call:
        """An action on a container that was created here."""

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
        """Answer whether one of the installation's images is there."""
        image = self.image(request.path_params["image"])
        return await self.forward(request, f"/images/{image}/json", {})

    async def pull_image(self, request: Request) -> Response:
        """Pull one of the installation's images."""
        query = chosen(request, "fromImage", "tag")
        self.image(":".join(filter(None, (query.get("fromImage"), query.get("tag")))))
        return await self.forward(request, "/images/create", query)

    async def create_container(self, request: Request) -> Response:
        """Create a container that is a job's in all its parts."""
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
        """The name, if it is that of an image of the installation's."""
        if name not in self._installation.images:
            raise Refusal(f"{name} is no image of this installation")
        return name

    async def forward(
        self, request: Request, path: str, query: dict[str, str], json: Any = None
    ) -> StreamingResponse:
        """Hand the call on and its answer back as it comes."""
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
    """The bytes of an answer; an engine or a client that goes away ends them."""
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
    """The filters of a list, with one more: that it is of the jobs' containers."""
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
    # With mode 666: the worker has another user.
    uvicorn.run(app, uds=SERVED, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
