"""The project's version and its pinned dependencies, in a checkout, an image or an installed wheel."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path

NAME = "tmdb-movie-pipeline"
# The packages of this project. pyproject.toml and .dockerignore must agree.
OWN_PACKAGES = ("cli", "deployments", "flows", "movies", "spark", "stages", "tasks")
# An image has this file but no installed metadata; a wheel has only the metadata.
DECLARATION = Path(__file__).parents[1] / "pyproject.toml"
PIN = re.compile(r"([\w.-]+)(?:\[[^]]*\])?==([^;\s]+)")


def version() -> str:
    """Return the version, such as `0.1.0`.

    Raises:
        importlib.metadata.PackageNotFoundError: the code was copied without `pyproject.toml`.
    """
    return _declared()[0]


def user_agent() -> str:
    """Return the `User-Agent` of requests.

    Raises:
        importlib.metadata.PackageNotFoundError: the code was copied without `pyproject.toml`.
    """
    return f"{NAME}/{version()}"


def pinned_versions() -> dict[str, str]:
    """Return the pinned version of each direct dependency by name.

    Raises:
        importlib.metadata.PackageNotFoundError: the code was copied without `pyproject.toml`.
    """
    pins = (PIN.match(requirement) for requirement in _declared()[1] if "extra ==" not in requirement)
    return {pin[1]: pin[2] for pin in pins if pin is not None}


@cache
def _declared() -> tuple[str, tuple[str, ...]]:
    """Return the version and the requirements."""
    if DECLARATION.is_file():
        project = tomllib.loads(DECLARATION.read_text(encoding="utf-8")).get("project", {})
        # Some wheels install their own pyproject.toml beside all packages.
        if project.get("name") == NAME:
            return project["version"], tuple(project["dependencies"])
    return metadata.version(NAME), tuple(metadata.requires(NAME) or ())
