"""Which code decides a stage's result; known without Prefect, for those who only look."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from movies.project import pinned_versions
from stages.names import StageName

PROJECT_ROOT = Path(__file__).parent.parent
# What a page is made of is code as well.
SOURCES = (".py", ".html", ".css", ".js")

# What decides a stage's result, besides its input tables.
READING = (
    "movies/lake",
    "spark/engines",
    "spark/frames.py",
    *("tasks/analytics.py", "tasks/publishing.py"),
)
CODE = {
    StageName.TRANSFORM: (
        *READING,
        *(
            "spark/payloads.py",
            "spark/silver.py",
            "spark/transform.py",
            "tasks/silver.py",
        ),
    ),
    StageName.KPIS: (*READING, "spark/checks", "spark/kpis", "tasks/gold.py"),
}
LIBRARIES = ("deltalake", "msgspec", "pyarrow", "pysail", "pyspark")


@cache
def code_version(places: tuple[str, ...], libraries: tuple[str, ...] = ()) -> str:
    """A digest of the source files in these packages or modules of ours, and of these libraries' versions.

    The versions are those that the project pins, not those installed: an image without Spark must come to the
    same digest as one with it, to know whether Spark would have anything to do.
    """
    digest = hashlib.sha256()
    for place in places:
        path = PROJECT_ROOT / place
        files = (file for file in path.rglob("*") if file.suffix in SOURCES) if path.is_dir() else [path]
        for file in sorted(files):
            digest.update(file.relative_to(PROJECT_ROOT).as_posix().encode() + b"\0")
            digest.update(file.read_bytes() + b"\0")
    for library in sorted(libraries):
        digest.update(f"{library}=={pinned_versions()[library]}".encode() + b"\0")
    return digest.hexdigest()[:12]


def stage_code(stage: StageName) -> str:
    """The version of the code that decides a stage's result."""
    return code_version(CODE[stage], LIBRARIES)
