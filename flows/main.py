"""`python flows/main.py` is `movies run`, which runs the flow of `flows/pipeline.py`."""

from cli.__main__ import main

if __name__ == "__main__":
    main(["run"])
