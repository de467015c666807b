"""The report as plain text with aligned columns."""

from __future__ import annotations

import re

from rich.cells import cell_len

from movies.report.formats import shorten
from movies.report.gold import Gold
from movies.report.provenance import Provenance
from movies.report.sections import Heading, Section, TextTable, build_report

LINE_CELLS = 100
NAME_CELLS = 56
_YEAR = re.compile(r" \(\d{4}\)$")


def text_report(gold: Gold, provenance: Provenance) -> str:
    """Render the seven sections for a terminal or a text file."""
    report = build_report(gold, provenance)
    blocks = [
        "\n".join((report.title.upper(), "=" * LINE_CELLS, *report.introduction)),
        *(_section(number, section) for number, section in enumerate(report.sections, start=1)),
        "\n".join(("=" * LINE_CELLS, *report.footer)),
    ]
    return "\n\n".join(blocks) + "\n"


def _section(number: int, section: Section) -> str:
    blocks = ["\n".join((f"{number}. {section.title.upper()}", "-" * LINE_CELLS))]
    if section.remark:
        blocks.append(section.remark)
    several = len(section.tables) > 1
    for place, table in enumerate(section.tables, start=1):
        heading = f"{number}.{place} {table.title}" if several else table.title
        body = _table(table) if table.rows else [f"  {table.when_empty}"]
        blocks.append("\n".join([heading, *body] if heading else body))
    return "\n\n".join(blocks)


def _table(table: TextTable) -> list[str]:
    """Render heading, rule and rows, indented by two."""
    rows = [tuple(map(_fit, row)) for row in table.rows]
    cells = [tuple(column.title for column in table.columns), *rows]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    heading, *lines = (_line(row, widths, table.columns) for row in cells)
    rule = "  " + "  ".join("-" * cell_width for cell_width in widths)
    return [heading, rule, *lines]


def _line(cells: tuple[str, ...], widths: list[int], columns: tuple[Heading, ...]) -> str:
    padded = (
        " " * (cell_width - cell_len(cell)) + cell
        if column.figures
        else cell + " " * (cell_width - cell_len(cell))
        for cell, cell_width, column in zip(cells, widths, columns, strict=True)
    )
    return f"  {'  '.join(padded)}".rstrip()


def _fit(cell: str) -> str:
    """Cut a cell to its maximum width; of a movie's name, cut the title and not the year."""
    year = _YEAR.search(cell) if cell_len(cell) > NAME_CELLS else None
    suffix = year[0] if year else ""
    return shorten(cell.removesuffix(suffix), NAME_CELLS - cell_len(suffix)) + suffix
