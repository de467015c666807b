"""The report as Markdown, for the Prefect artifact and for rendering pages."""

from __future__ import annotations

import re

from report.gold import Gold
from report.provenance import Provenance
from report.sections import Section, Table, build_report

# `|` ends a cell; the others would make emphasis, links, code or tags of a title such as M*A*S*H or [REC].
_SPECIAL = re.compile(r"([\\|`*_\[\]<>~])")


def markdown_report(gold: Gold, provenance: Provenance) -> str:
    """The same seven sections as the text report, with Markdown tables."""
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
    """Text that Markdown shows as it is, also inside a table."""
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


def _table(table: Table) -> str:
    lines = [
        [column.title for column in table.columns],
        ["---:" if column.figures else ":---" for column in table.columns],
        *([escape(cell) for cell in row] for row in table.rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
