"""The docs' way to open a table in pandas ends well each time."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.movies.lake.small_lake import make_lake

PAGE = Path(__file__).parents[2] / "docs" / "quickstart.md"
TIMES = 40


@pytest.fixture
def code(tmp_path: Path) -> str:
    """The example of the page, on a lake of its own."""
    make_lake(str(tmp_path / "data" / "sandbox"))
    [example] = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return str(example)


def read_table(code: str, folder: Path) -> tuple[int, str, str]:
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


SHOWN = (0, "    genre  movies\n0  Action       2\n1   Crime       1\n", "")


def test_the_docs_open_a_table_in_pandas(code: str, tmp_path: Path) -> None:
    assert read_table(code, tmp_path) == SHOWN


@pytest.mark.long
def test_opening_a_partitioned_table_in_pandas_never_aborts_the_interpreter(
    code: str, tmp_path: Path
) -> None:
    code = code.replace("gold/genres", "silver/movies").replace("SELECT genre, movies", "SELECT id")

    assert [read_table(code, tmp_path)[::2] for _ in range(TIMES)] == [(0, "")] * TIMES


@pytest.mark.parametrize("page", ["README.md", "docs", "notebooks"])
def test_no_page_uses_what_aborts_the_interpreter(page: str) -> None:
    place = PAGE.parents[1] / page
    pages = [place] if place.is_file() else [*place.rglob("*.md"), *place.rglob("*.ipynb")]
    used = re.compile(r"DeltaTable\([^)…]+\)\.to_(pandas|pyarrow_\w+)\(")

    assert [one.name for one in pages if used.search(one.read_text(encoding="utf-8"))] == []
