"""The sandbox as an ASGI application."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path

from fastapi import FastAPI, Request, Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from movies.sandbox.answer_bodies import JSON, NOT_FOUND, Refused, encode
from movies.sandbox.bundled_movies import Movies
from movies.sandbox.faults import Faults, parse_faults
from movies.sandbox.gate import Gate
from movies.sandbox.imdb import render_ratings
from movies.sandbox.lists import Lists
from movies.sandbox.process import ENVIRONMENT_PREFIX
from movies.sandbox.synthetic import DEFAULT_PAYLOAD_BYTES, SyntheticMovies

# Answer of the real exports' store for a missing file.
ABSENT_FILE = b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code></Error>'


def create_app(
    *,
    key: str | None = None,
    faults: Faults | None = None,
    payloads: Path | None = None,
    synthetic: int = 0,
    payload_bytes: int = DEFAULT_PAYLOAD_BYTES,
    today: date | None = None,
) -> Gate:
    """Build a sandbox.

    Args:
        key: the only valid key, in the query or as a Bearer token; random if None.
        faults: the faults from the start.
        payloads: JSON lines, plain or gzip, to serve verbatim instead of the catalogue.
        synthetic: number of made-up movies, with ids from 1.
        payload_bytes: approximate size of their payloads.
        today: the date that the sandbox uses as today.
    """
    movies = Movies(payloads, SyntheticMovies(synthetic, payload_bytes))
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    gate = Gate(app, movies, key or secrets.token_hex(16), faults or Faults())
    app.add_exception_handler(Refused, _answer_refused)
    app.add_exception_handler(HTTPException, _answer_unknown)
    _add_lists(app, Lists(movies, today))
    _add_ratings(app, movies)
    _add_controls(app, gate)
    return gate


def create_app_from_environment() -> Gate:
    """Build the sandbox that `TMDB_SANDBOX_*` variables describe, named as `create_app`'s arguments."""

    def read(name: str) -> str:
        return os.environ.get(f"{ENVIRONMENT_PREFIX}{name}", "")

    return create_app(
        key=read("KEY") or None,
        faults=parse_faults(read("FAULTS")),
        payloads=Path(read("PAYLOADS")) if read("PAYLOADS") else None,
        synthetic=int(read("SYNTHETIC") or 0),
        payload_bytes=int(read("PAYLOAD_BYTES") or DEFAULT_PAYLOAD_BYTES),
        today=date.fromisoformat(read("TODAY")) if read("TODAY") else None,
    )


def _add_lists(app: FastAPI, lists: Lists) -> None:
    # Not async: FastAPI runs them in threads, so a large list does not delay movies.
    @app.get("/3/discover/movie")
    def discover(request: Request) -> Response:
        filters = {name: value for name, value in request.query_params.items() if name != "api_key"}
        return _json(lists.discover(filters))

    @app.get("/3/movie/changes")
    def changes(start_date: str | None = None, end_date: str | None = None, page: str = "1") -> Response:
        return _json(lists.changes(start_date, end_date, page))

    @app.get("/3/configuration")
    def configuration() -> Response:
        return _json({"change_keys": [], "images": {"poster_sizes": ["original"]}})

    @app.get("/p/exports/movie_ids_{day}.json.gz")
    def export(day: str) -> Response:
        return _file(lists, day, adult=False)

    @app.get("/p/exports/adult_movie_ids_{day}.json.gz")
    def adult_export(day: str) -> Response:
        return _file(lists, day, adult=True)


def _file(lists: Lists, day: str, *, adult: bool) -> Response:
    try:
        content = lists.export(datetime.strptime(day, "%m_%d_%Y").date(), adult)
    except ValueError:
        content = None
    if content is None:
        return Response(ABSENT_FILE, 403, media_type="application/xml")
    return Response(content, media_type="application/gzip")


def _add_ratings(app: FastAPI, movies: Movies) -> None:
    content = cache(lambda: render_ratings(movies))

    @app.get("/imdb/title.ratings.tsv.gz")
    def ratings(request: Request) -> Response:
        etag = f'"{sha256(content()).hexdigest()}"'
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={"ETag": etag})
        return Response(content(), media_type="application/gzip", headers={"ETag": etag})


def _add_controls(app: FastAPI, gate: Gate) -> None:
    @app.get("/sandbox/stats")
    async def stats(arrivals: bool = False) -> Response:
        return _json(gate.stats.snapshot(arrivals))

    @app.post("/sandbox/reset")
    async def reset() -> Response:
        gate.reset()
        return Response(status_code=204)

    @app.get("/sandbox/faults")
    async def show_faults() -> Response:
        return _json(gate.plan.faults.model_dump(mode="json"))

    @app.put("/sandbox/faults")
    async def set_faults(request: Request) -> Response:
        try:
            faults = Faults.model_validate_json(await request.body())
        except ValidationError as error:
            return _json({"error": str(error)}, 422)
        gate.reset(faults)
        return _json(faults.model_dump(mode="json"))


def _json(content: Mapping[str, object], status: int = 200) -> Response:
    return Response(encode(content), status, media_type=JSON.decode())


def _answer_refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return Response(error.refusal.body, error.refusal.http_status, media_type=JSON.decode())


def _answer_unknown(_: Request, error: Exception) -> Response:
    return Response(NOT_FOUND.body, NOT_FOUND.http_status, media_type=JSON.decode())
