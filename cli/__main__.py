"""Run the command line as `python -m cli`, if the project is not installed."""

from __future__ import annotations

import os
import signal
from typing import NoReturn


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; a signal during the imports ends it with one sentence."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    from cli.app import main as run_commands

    run_commands(arguments)


def _end(number: int, frame: object) -> NoReturn:
    word = "Interrupted" if number == signal.SIGINT else "Terminated"
    os.write(2, f"Error: {word}\n".encode())
    os._exit(128 + number)


if __name__ == "__main__":
    main()
