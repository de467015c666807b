"""Every table and column is defined, for `movies show`, and as the documentation has it."""

from __future__ import annotations

import re
from pathlib import Path

from movies.lake.all_tables import TABLES
from movies.lake.gold_tables import GOLD
from movies.report.definitions import describe_column, describe_table

DOC = (Path(__file__).parents[3] / "docs" / "kpis.md").read_text(encoding="utf-8")


def test_every_table_and_column_is_defined():
    lacking = [table.name for table in TABLES if not describe_table(table)]
    lacking += [
        f"{table.name}.{column}"
        for table in TABLES
        for column in table.columns
        if not describe_column(table, column)
    ]
    assert lacking == [], "add them to report/definitions"


def test_gold_tables_are_defined_as_in_the_documentation():
    documented = dict(re.findall(r"^\| `(gold/\w+)` \| (.+?) \| `", DOC, re.MULTILINE))
    assert {table.name: describe_table(table) for table in GOLD} == documented


def test_gold_columns_are_defined_as_in_the_documentation():
    glossary = DOC.partition("\n## Columns\n")[2].partition("\n## ")[0]
    documented = {
        name: meaning
        for cell, meaning in re.findall(r"^\| (`.+?`) \| (.+) \|$", glossary, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", cell)
    }
    columns = {column: table for table in GOLD for column in table.columns}
    assert {name: describe_column(table, name) for name, table in columns.items()} == documented
