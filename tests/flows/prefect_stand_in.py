"""What stands in for Prefect's server in tests of its start, which takes a tenth of its time."""

from __future__ import annotations

import os

from fastapi import FastAPI


def create_app() -> FastAPI:
    """Make a server that starts only with a database of its own; with BROKEN set, never."""
    if "PREFECT_SERVER_DATABASE_CONNECTION_URL" not in os.environ or "BROKEN" in os.environ:
        raise RuntimeError("Can't locate revision identified by 'abc'")
    app = FastAPI()
    app.get("/api/health")(lambda: True)
    return app
