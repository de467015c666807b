"""Imports go one way: from the command line down to the library."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from movies.project import OWN_PACKAGES

ROOT = Path(__file__).parents[1]
# Each may import those after it. `deployments` stands beside `flows`, and only the command line imports it.
LAYERS = ("cli", "flows", "tasks", "stages", "spark", "movies")
# What a package of the library may import of the others; modules such as `movies.settings` are for all.
LIBRARY = {
    "tmdb": set(),
    "sandbox": set(),
    "imdb": set(),
    "lake": set(),
    "forecast": {"lake"},
    "report": {"lake"},
}
# Starts the command line.
EXCEPTIONS = {("flows/main.py", "cli.__main__")}


def imports(package: str) -> Iterator[tuple[str, str]]:
    """Each module of a package by its path, with each module that it imports anywhere."""
    for path in sorted((ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            yield from ((path.relative_to(ROOT).as_posix(), name) for name in names if name)


def test_every_package_has_a_layer():
    assert {*LAYERS, "deployments"} == {*OWN_PACKAGES}


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_imports_no_layer_above_it(layer):
    above = {*LAYERS[: LAYERS.index(layer)], "deployments"} - ({"deployments"} if layer == "cli" else set())

    assert {found for found in imports(layer) if found[1].partition(".")[0] in above} - EXCEPTIONS == set()


@pytest.mark.parametrize(
    ("layer", "unknown"),
    [
        ("movies", {"prefect", "pyspark", "pysail", "delta"}),
        ("spark", {"prefect"}),
        ("stages", {"prefect"}),
    ],
)
def test_what_a_layer_knows_nothing_of(layer, unknown):
    assert {found for found in imports(layer) if found[1].partition(".")[0] in unknown} == set()


@pytest.mark.parametrize("package", LIBRARY)
def test_packages_of_the_library_know_little_of_each_other(package):
    others = LIBRARY.keys() - {package} - LIBRARY[package]

    found = {
        (path, name.split(".")[1])
        for path, name in imports(f"movies/{package}")
        if name.startswith("movies.")
    }
    assert {(path, name) for path, name in found if name in others} == set()
