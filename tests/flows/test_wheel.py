"""The wheel alone, in an environment without a checkout, does what the checkout does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from movies import project
from movies.lake.delta import read
from movies.lake.gold_tables import GOLD
from movies.lake.tables import RAW_MOVIES, SILVER_MOVIES
from tests.places import PROJECT_ROOT, Place, clean_environment

UV = os.environ.get("UV", "uv")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that a release would have."""
    folder = tmp_path_factory.mktemp("wheel")
    call(UV, "build", "--quiet", "--wheel", "--out-dir", str(folder), str(PROJECT_ROOT))
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """An empty environment."""
    folder = tmp_path / "environment"
    call(UV, "venv", "--quiet", "--python", sys.executable, str(folder))
    return folder


def call(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def install(environment: Path, *what: str) -> None:
    call(UV, "pip", "install", "--quiet", "--python", str(environment), *what)


def borrow_dependencies(environment: Path) -> None:
    """Let an environment import what is installed here, but not the checkout, whose .pth file is not read."""
    packages = next(environment.glob("lib/python*/site-packages"))
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")


def movies_of(environment: Path, place: Place) -> Place:
    """The same place, whose runs are those of the command `movies` in an environment."""
    return replace(place, command=(str(environment / "bin" / "movies"), "run"))


def check_version(environment: Path, folder: Path) -> None:
    """Check that the command says its version, from the code that the wheel brought."""
    done = subprocess.run(
        [environment / "bin" / "movies", "--version"],
        cwd=folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"movies {project.version()}\n", "")
    asked = [environment / "bin" / "python", "-c", "from movies import project; print(project.__file__)"]
    found = subprocess.run(asked, cwd=folder, env=clean_environment(), capture_output=True, text=True)
    assert Path(found.stdout.strip()).is_relative_to(environment)


def outputs(place: Place) -> tuple[set[str], str]:
    """The files of a run's output, and its report without what differs from run to run."""
    folder = place.folder / "output"
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    report = (folder / "kpi_analysis.txt").read_text(encoding="utf-8")
    return files, re.sub(r"Data: [^·]+|fetched until [\d: -]+ UTC|run \w{8}", "…", report)


def tables(place: Place) -> dict[str, list[dict[str, object]]]:
    """The rows of silver and gold; sums of the same numbers in another order differ in their last digits."""

    def rounded(row: dict[str, object]) -> dict[str, object]:
        return {
            name: float(f"{value:.9g}") if isinstance(value, float) else value for name, value in row.items()
        }

    found = {table.name: read(table, place.lake) for table in (SILVER_MOVIES, *GOLD)}
    return {
        name: sorted(map(rounded, [] if rows is None else rows.to_pylist()), key=repr)
        for name, rows in found.items()
    }


@pytest.mark.slow
def test_the_wheel_alone_makes_what_the_checkout_makes(wheel, environment, place, first_run):
    install(environment, "--no-deps", str(wheel))
    borrow_dependencies(environment)
    check_version(environment, place.folder)

    said = movies_of(environment, place).succeed()

    assert "movies come from the bundled sandbox" in said
    checkout, _ = first_run
    assert outputs(place) == outputs(checkout), "also the code's version in the caption"
    assert tables(place) == tables(checkout)


@pytest.mark.long
def test_the_wheel_brings_all_it_needs(wheel, environment, tmp_path):
    tested = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())["tool"]["uv"]
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("\n".join(tested["constraint-dependencies"]))
    install(environment, "--constraint", str(constraints), str(wheel))
    check_version(environment, tmp_path)
    place = Place(tmp_path, {"PREFECT_HOME": str(tmp_path / "prefect")})

    movies_of(environment, place).succeed()

    assert len(place.rows(RAW_MOVIES, "movie_id")) == len(place.rows(SILVER_MOVIES, "id")) == 18
