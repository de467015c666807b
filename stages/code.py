"""The version of a stage's code: its module and what that imports of this project."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from movies.project import OWN_PACKAGES, pinned_versions

PROJECT_ROOT = Path(__file__).parents[1]
# An import statement, which may stand in a function; the names in parentheses may go over several lines.
IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n]*)|import[ \t]+([\w.]+))", re.M
)
# Imports for type checkers have no effect on a result.
FOR_TYPES = re.compile(r"^if TYPE_CHECKING:\n(?:[ \t]+.*\n|\n)+", re.M)
# A registry that finds the modules of its package imports all of them.
DISCOVERY = re.compile(r"iter_modules\(")
# Files that belong to the code beside them: templates and data.
DATA_SUFFIXES = (".html", ".css", ".js", ".json", ".csv")


@cache
def code_version(module: str, libraries: tuple[str, ...], root: Path = PROJECT_ROOT) -> str:
    """Return a digest of a module, of all that it imports of this project, and of libraries' versions.

    The versions are the pinned ones, not the installed ones: an image without Spark must compute the same
    digest as one with Spark, to know whether Spark has anything to do.
    """
    digest = hashlib.sha256()
    for path in sorted(code_files(module, root)):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    for library in sorted(libraries):
        digest.update(f"{library}=={pinned_versions()[library]}".encode() + b"\0")
    return digest.hexdigest()[:12]


def code_files(module: str, root: Path = PROJECT_ROOT) -> set[Path]:
    """Return the files of a module and of its imports from this project, with the data files beside them."""
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        if (path := _file_of(waiting.pop(), root)) is not None and path not in found:
            found.add(path)
            waiting += _imports(path, root)
    return found | {data for path in found for data in _data_beside(path)}


def _file_of(module: str, root: Path) -> Path | None:
    place = root.joinpath(*module.split("."))
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)


def _imports(path: Path, root: Path) -> Iterator[str]:
    """List the project's modules that a file imports, with their packages."""
    text = FOR_TYPES.sub("", path.read_text(encoding="utf-8"))
    for origin, names, plain in IMPORT.findall(text):
        if (module := origin or plain).partition(".")[0] not in OWN_PACKAGES:
            continue
        parts = module.split(".")
        yield from (".".join(parts[: end + 1]) for end in range(len(parts)))
        yield from (f"{module}.{name}" for name in re.findall(r"\w+", names))
    if DISCOVERY.search(text):
        package = ".".join(path.parent.relative_to(root).parts)
        yield from (f"{package}.{file.stem}" for file in path.parent.glob("*.py"))


def _data_beside(path: Path) -> Iterator[Path]:
    """List the data files of a module's folder and of folders below it that are not packages."""
    for file in path.parent.iterdir():
        if file.suffix in DATA_SUFFIXES:
            yield file
        elif file.is_dir() and not (file / "__init__.py").exists():
            yield from (data for data in file.rglob("*") if data.suffix in DATA_SUFFIXES)
