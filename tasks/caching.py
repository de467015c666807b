"""When a task's result may be used again."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from prefect.cache_policies import INPUTS, TASK_SOURCE

# The parameters, plain strings and numbers throughout, and the task's own body. What the body calls is not
# seen by it, so every cached task takes a code version among its parameters.
CACHE = INPUTS + TASK_SOURCE

PROJECT_ROOT = Path(__file__).parent.parent


@cache
def code_version(places: tuple[str, ...], libraries: tuple[str, ...] = ()) -> str:
    """A digest of the Python files in these packages or modules of ours, and of these libraries' versions."""
    digest = hashlib.sha256()
    for place in places:
        path = PROJECT_ROOT / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.relative_to(PROJECT_ROOT).as_posix().encode() + b"\0")
            digest.update(file.read_bytes() + b"\0")
    for library in libraries:
        with suppress(PackageNotFoundError):  # the embedded engine is not everywhere
            digest.update(f"{library} {version(library)}\0".encode())
    return digest.hexdigest()[:12]
