"""A real S3 API on loopback, for tests: moto in a process that tells its port and ends with its parent."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

HOST = "127.0.0.1"


@contextmanager
def s3_server() -> Iterator[dict[str, str]]:
    """Run a server; the variables by which it is reached."""
    command = [sys.executable, __file__]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None and process.stdin is not None
        port = process.stdout.readline().strip()
        assert port.isdecimal(), "moto did not start"
        yield {
            "AWS_ENDPOINT_URL": f"http://{HOST}:{port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
        }
        process.stdin.close()


def serve() -> None:
    """Serve until standard input ends."""
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    moto = DomainDispatcherApplication(create_backend_app)
    lock = threading.Lock()

    def one_at_a_time(environment: dict[str, Any], start_response: Any) -> Any:
        # For a conditional put moto looks first and puts then; in a store that is one step.
        with lock:
            return moto(environment, start_response)

    server = make_server(HOST, 0, one_at_a_time, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    serve()
