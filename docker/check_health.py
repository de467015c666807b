"""Whether a container of the Spark image can do what it was started for; the image's health check."""

import os
import socket
from pathlib import Path

SERVER = "spark.connect_server"
PORT = 15002


def main() -> None:
    """Exit with a sentence where Spark's server does not answer, or a job could not write its data."""
    command = Path("/proc/1/cmdline").read_text().split("\0")
    if SERVER in command:
        port = int(command[command.index("--port") + 1]) if "--port" in command else PORT
        try:
            socket.create_connection(("127.0.0.1", port), timeout=2).close()
        except OSError as error:
            raise SystemExit(f"Spark Connect does not answer: {error}") from error
    elif not os.access("/data", os.W_OK):
        raise SystemExit("/data cannot be written")


if __name__ == "__main__":
    main()
