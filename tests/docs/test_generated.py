"""The generated parts of the pages are what the code declares, and each declaration says what it means."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from movies.lake.all_tables import TABLES
from movies.lake.table import Table
from movies.settings import Settings
from tests.docs.pages import ROOT

RENEW = "uv run python -m cogapp -r -n utf-8 -I docs docs/*.md"


def test_generated_parts_are_current() -> None:
    pages = sorted(str(page) for page in (ROOT / "docs").glob("*.md") if "[[[cog" in page.read_text("utf-8"))

    done = subprocess.run(
        [sys.executable, "-m", "cogapp", "--check", "--diff", "-n", "utf-8", "-I", "docs", *pages],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    if done.returncode:
        pytest.fail(f"renew them by `{RENEW}`:\n{done.stdout[-3000:]}{done.stderr[-3000:]}", pytrace=False)


def test_the_command_that_renews_them_is_in_the_guide() -> None:
    assert RENEW in (ROOT / "CONTRIBUTING.md").read_text("utf-8")


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_and_each_of_its_columns_have_a_meaning_of_their_own(table: Table) -> None:
    texts = [table.meaning, *(column.meaning for column in {**table.columns, **table.optional}.values())]

    assert [text for text in texts if not re.fullmatch(r"[`\w].*\.", text) or texts.count(text) > 1] == []


def test_each_setting_has_a_meaning() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("file", ["compose.yaml", "cluster.compose.yaml"])
def test_variables_of_compose_are_explained(file: str) -> None:
    used = re.findall(r"\$\{(\w+)", (ROOT / "docker" / file).read_text("utf-8"))
    explained = "".join((ROOT / "docs" / page).read_text("utf-8") for page in ("settings.md", "cluster.md"))
    assert sorted({name for name in used if f"`{name}`" not in explained}) == []
