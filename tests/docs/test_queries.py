"""The queries of `docs/queries.md` are answered."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from movies.lake.sql import ask

PAGE = (Path(__file__).parents[2] / "docs" / "queries.md").read_text(encoding="utf-8")


def queries() -> list[str]:
    """What is given to `movies sql` in quotes, and each statement of the blocks of SQL."""
    blocks = re.findall(r"^```sql\n(.+?)^```", PAGE, re.MULTILINE | re.DOTALL)
    given: list[str] = re.findall(r'movies sql "(.+?)"', PAGE)
    # A semicolon within a comment is none.
    statements = re.split(r";$", "".join(blocks), flags=re.MULTILINE)
    return [*given, *(statement for statement in statements if statement.strip())]


@pytest.mark.parametrize("sql", queries(), ids=lambda sql: " ".join(sql.split())[:40])
def test_a_query_of_the_page_is_answered(sql, whole_lake):
    ask(whole_lake, sql).read_all()


def test_there_are_queries_on_the_page():
    assert len(queries()) >= 9
