"""Health check of the Spark image: check that the container can do what it was started for."""

import json
import os
import socket
from pathlib import Path
from typing import Any
from urllib.request import urlopen

SERVER = "spark.engines.connect_server"
PORT = 15002
# A cluster's processes report their state on these ports, if no other port is set.
MASTER, MASTER_PORT = "org.apache.spark.deploy.master.Master", 8080
WORKER, WORKER_PORT = "org.apache.spark.deploy.worker.Worker", 8081


def main() -> None:
    """Exit with a sentence if Spark's process does not answer, or a job could not write its data."""
    command = Path("/proc/1/cmdline").read_text().split("\0")
    if SERVER in command:
        port = int(command[command.index("--port") + 1]) if "--port" in command else PORT
        try:
            socket.create_connection(("127.0.0.1", port), timeout=2).close()
        except OSError as error:
            raise SystemExit(f"Spark Connect does not answer: {error}") from error
    elif MASTER in command:
        if (status := ask(MASTER_PORT)["status"]) != "ALIVE":
            raise SystemExit(f"the master is {status}")
    elif WORKER in command:
        if not ask(WORKER_PORT)["masterwebuiurl"]:
            raise SystemExit("no master has accepted the worker yet")
    elif not os.access("/data", os.W_OK):
        raise SystemExit("/data cannot be written")


def ask(port: int) -> Any:
    """Read the state that a process of a cluster reports."""
    try:
        with urlopen(f"http://{socket.gethostname()}:{port}/json/", timeout=2) as answer:
            return json.load(answer)
    except OSError as error:
        raise SystemExit(f"Spark does not answer: {error}") from error


if __name__ == "__main__":
    main()
