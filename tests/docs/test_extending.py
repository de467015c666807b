"""The examples of `docs/extending` run as they stand, and print what stands below them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from movies.project import OWN_PACKAGES
from tests.places import Place

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "extending").glob("*.md"))
EXAMPLE = re.compile(r"^```python\n(.+?)^```\n+^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_there_are_pages_to_try() -> None:
    assert [page.stem for page in PAGES] == [
        "check",
        "engine",
        "kpi",
        "plot",
        "run-option",
        "setting",
        "source",
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_example_prints_what_stands_below_it(page: Path, tmp_path: Path) -> None:
    [(code, shown)] = EXAMPLE.findall(page.read_text(encoding="utf-8"))

    # In a process of its own: PySpark knows one session, and the examples change registries.
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "MPLCONFIGDIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert (ended.returncode, ended.stdout, ended.stderr[-2000:]) == (0, shown, "")


@pytest.mark.slow
def test_a_kpi_is_one_module_whose_table_all_commands_know(tmp_path: Path, place: Place) -> None:
    copy = tmp_path / "project"
    for package in OWN_PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    [(code, _)] = EXAMPLE.findall((ROOT / "docs/extending/kpi.md").read_text(encoding="utf-8"))
    module, _, _ = code.partition("# The module ends here.")
    (copy / "spark/kpis/runtimes.py").write_text(module, encoding="utf-8")
    place.environment["PYTHONPATH"] = str(copy)
    place.command = (sys.executable, "-m", "cli")

    place.succeed("run", "--stage", "ingest", "--stage", "transform", "--stage", "kpis")

    rows = "from_minutes,movies,mean_rating\n90,4,7.2585\n120,10,7.358\n150,2,7.1795\n180,2,8.069\n"
    query = "SELECT from_minutes, movies, round(mean_rating, 4) AS mean_rating FROM runtimes"
    asked = place.succeed("sql", query, "--format", "csv")
    assert asked.replace('"', "") == rows
    shown = place.succeed("show", "gold.runtimes")
    assert "Movies by whole half hours of runtime." in shown
    assert "Shortest runtime of the row, in minutes." in shown
    assert "gold/runtimes" in place.succeed("status")
    place.succeed("backup", str(tmp_path / "backup"))
    there = replace(place, environment=place.environment | {"LAKE_ROOT": str(tmp_path / "backup")})
    assert there.succeed("sql", query, "--format", "csv") == asked
