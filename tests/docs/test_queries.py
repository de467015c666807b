"""The queries of `docs/queries.md` are answered."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from movies.lake.all_tables import TABLES
from movies.lake.delta import open_table
from movies.lake.sql import ask
from tests.movies.lake.small_lake import make_lake, write

PAGE = (Path(__file__).parents[2] / "docs" / "queries.md").read_text(encoding="utf-8")


def queries() -> list[str]:
    """What is given to `movies sql` in quotes, and each statement of the blocks of SQL."""
    blocks = re.findall(r"^```sql\n(.+?)^```", PAGE, re.MULTILINE | re.DOTALL)
    given: list[str] = re.findall(r'movies sql "(.+?)"', PAGE)
    # A semicolon within a comment is none.
    statements = re.split(r";$", "".join(blocks), flags=re.MULTILINE)
    return [*given, *(statement for statement in statements if statement.strip())]


@pytest.fixture(scope="module")
def lake(tmp_path_factory) -> str:
    root = make_lake(str(tmp_path_factory.mktemp("lake")))
    for table in TABLES:
        if open_table(table, root) is None:
            write(table, root)
    return root


@pytest.mark.parametrize("sql", queries(), ids=lambda sql: " ".join(sql.split())[:40])
def test_a_query_of_the_page_is_answered(sql, lake):
    ask(lake, sql).read_all()


def test_there_are_queries_on_the_page():
    assert len(queries()) >= 9
