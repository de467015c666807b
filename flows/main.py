"""`python flows/main.py` is `movies run`, which runs the flow of `flows/pipeline.py`."""

from flows.cli import main

if __name__ == "__main__":
    main(["run"])
