"""Run `movies run`, and with it the flow of `flows/pipeline.py`, as `python flows/main.py`."""

from cli.__main__ import main

if __name__ == "__main__":
    main(["run"])
