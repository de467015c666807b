"""The report as Markdown, for the Prefect artifact and for rendering pages."""

from __future__ import annotations

import math
import re

from movies.report.gold import Gold
from movies.report.provenance import Provenance
from movies.report.sections import Section, TextTable, build_report

# Prefect's UI cuts wider tables, so they are split into several, each with the rank and the name.
WIDEST, KEY_COLUMNS = 6, 2
# `|` ends a cell; the others would turn titles such as M*A*S*H or [REC] into emphasis, links, code or tags.
_SPECIAL = re.compile(r"([\\|`*_\[\]<>~])")


def markdown_report(gold: Gold, provenance: Provenance) -> str:
    """Render the seven sections of the report with Markdown tables."""
    report = build_report(gold, provenance)
    blocks = [
        f"# {escape(report.title)}",
        *map(escape, report.introduction),
        *(_section(number, section) for number, section in enumerate(report.sections, start=1)),
        "---",
        *map(escape, report.footer),
    ]
    return "\n\n".join(blocks) + "\n"


def escape(text: str) -> str:
    """Escape a text so that Markdown shows it unchanged, even in a table."""
    return _SPECIAL.sub(r"\\\1", text)


def _section(number: int, section: Section) -> str:
    blocks = [f"## {number}. {escape(section.title)}"]
    if section.remark:
        blocks.append(escape(section.remark))
    several = len(section.tables) > 1
    for place, table in enumerate(section.tables, start=1):
        if several:
            blocks.append(f"### {number}.{place} {escape(table.title)}")
        elif table.title:
            blocks.append(escape(table.title))
        blocks.append(_table(table) if table.rows else escape(table.when_empty))
    return "\n\n".join(blocks)


def _table(table: TextTable) -> str:
    return "\n\n".join(_columns(table, columns) for columns in _parts(len(table.columns)))


def _parts(columns: int) -> list[list[int]]:
    """Split columns into tables: each has the first two, and a share of the others."""
    others = range(KEY_COLUMNS, columns)
    tables = max(1, math.ceil(len(others) / (WIDEST - KEY_COLUMNS)))
    share = max(1, math.ceil(len(others) / tables))
    return [
        [*range(min(KEY_COLUMNS, columns)), *others[start : start + share]]
        for start in range(0, max(1, len(others)), share)
    ]


def _columns(table: TextTable, chosen: list[int]) -> str:
    lines = [
        [table.columns[i].title for i in chosen],
        ["---:" if table.columns[i].figures else ":---" for i in chosen],
        *([escape(row[i]) for i in chosen] for row in table.rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
