"""Run the sandbox alone: `python -m movies.sandbox`."""

from __future__ import annotations

import secrets
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from movies.loopback import listen
from movies.sandbox.synthetic import DEFAULT_PAYLOAD_BYTES

HOST = "127.0.0.1"


def main(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = HOST,
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8080,
    key: Annotated[
        str | None, typer.Option(help="The API key that it accepts. Default: a random one.")
    ] = None,
    faults: Annotated[
        str, typer.Option(envvar="TMDB_SANDBOX_FAULTS", help="As JSON, or as server_error=0.1,latency_ms=20.")
    ] = "",
    payloads: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="JSON lines to serve instead of the catalogue."),
    ] = None,
    synthetic: Annotated[int, typer.Option(min=0, help="Made-up movies, with the ids from 1.")] = 0,
    payload_bytes: Annotated[
        int, typer.Option(min=0, help="About how large their payloads are.")
    ] = DEFAULT_PAYLOAD_BYTES,
    today: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day that it uses as today.")
    ] = None,
) -> None:
    """Serve TMDB's API over true facts, made-up load and faults, until interrupted."""
    import uvicorn

    from movies.sandbox.faults import parse_faults
    from movies.sandbox.server import create_app

    key = key or secrets.token_hex(16)
    try:
        app = create_app(
            key=key,
            faults=parse_faults(faults),
            payloads=payloads,
            synthetic=synthetic,
            payload_bytes=payload_bytes,
            today=today.date() if today else None,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    try:
        listener = listen(host, port)
    except OSError as error:
        raise typer.BadParameter(f"port {port} of {host} cannot be used: {error.strerror}") from error
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False))
    url = f"http://{host}:{listener.getsockname()[1]}"
    typer.echo(f"TMDB_BASE_URL={url}/3")
    typer.echo(f"TMDB_EXPORTS_URL={url}/p/exports")
    typer.echo(f"TMDB_API_KEY={key}")
    typer.echo(f"IMDB_RATINGS={url}/imdb/title.ratings.tsv.gz")
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:  # uvicorn has shut down and raises the signal again
        raise typer.Exit(130) from None


if __name__ == "__main__":
    typer.run(main)
