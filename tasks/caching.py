"""When a task's result may be used again."""

from __future__ import annotations

import hashlib
import tomllib
from functools import cache
from pathlib import Path

from prefect.cache_policies import INPUTS, TASK_SOURCE

# The parameters, plain strings and numbers throughout, and the task's own body. What the body calls is not
# seen by it, so every cached task takes a code version among its parameters.
CACHE = INPUTS + TASK_SOURCE

PROJECT_ROOT = Path(__file__).parent.parent


@cache
def code_version(places: tuple[str, ...], libraries: tuple[str, ...] = ()) -> str:
    """A digest of the Python files in these packages or modules of ours, and of these libraries' versions.

    The versions are those that the project pins, not those installed: an image without Spark must come to the
    same digest as one with it, to know whether Spark would have anything to do.
    """
    digest = hashlib.sha256()
    for place in places:
        path = PROJECT_ROOT / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.relative_to(PROJECT_ROOT).as_posix().encode() + b"\0")
            digest.update(file.read_bytes() + b"\0")
    for pin in _pins():
        if pin.startswith(tuple(f"{library}{end}" for library in libraries for end in "=[")):
            digest.update(pin.encode() + b"\0")
    return digest.hexdigest()[:12]


@cache
def _pins() -> tuple[str, ...]:
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())["project"]
    return tuple(sorted(project["dependencies"]))
