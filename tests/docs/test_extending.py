"""The examples of `docs/extending` run as they stand, and print what stands below them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

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
