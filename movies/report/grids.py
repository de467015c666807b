"""Rows of any table for people: a grid that fits the terminal, one block a row, or Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from movies.report.cells import cell
from movies.report.formats import shorten, straight_line, width
from movies.report.markdown import escape

GAP = "  "
# Columns of text are cut to fit the terminal, down to this many signs; then rows become blocks.
NARROWEST = 12


@dataclass(frozen=True)
class Grid:
    """Rows as cells under the names of their columns; `figures` says which columns have numbers."""

    names: Sequence[str]
    figures: Sequence[bool]
    rows: Sequence[Sequence[str]]

    @classmethod
    def of(cls, names: Sequence[str], figures: Sequence[bool], rows: Sequence[Sequence[Any]]) -> Grid:
        """Build it from values."""
        return cls([straight_line(name) for name in names], figures, [[*map(cell, row)] for row in rows])

    def lines(self, most_cells: int | None = None) -> Iterator[str]:
        """The rows below their names, within so many cells of a terminal where a number is given."""
        widths = [max(width(text) for text in column) for column in zip(self.names, *self.rows, strict=True)]
        if most_cells is not None:
            widths = self._fit(widths, most_cells)
            if sum(widths) + len(GAP) * (len(widths) - 1) > most_cells:
                yield from self._blocks(most_cells)
                return
        yield self._line(self.names, widths)
        yield GAP.join("─" * cells for cells in widths)
        for row in self.rows:
            yield self._line(row, widths)

    def _fit(self, widths: Sequence[int], most_cells: int) -> list[int]:
        """Narrow the widest column of text, again and again, as long as that helps."""
        widths = list(widths)
        over = sum(widths) + len(GAP) * (len(widths) - 1) - most_cells
        while over > 0:
            texts = [place for place, is_figure in enumerate(self.figures) if not is_figure]
            widest = max(texts, key=lambda place: widths[place], default=None)
            if widest is None or widths[widest] <= NARROWEST:
                break
            cut = min(over, max(1, widths[widest] // 8), widths[widest] - NARROWEST)
            widths[widest] -= cut
            over -= cut
        return widths

    def _line(self, row: Sequence[str], widths: Sequence[int]) -> str:
        padded = []
        for text, is_figure, cells in zip(row, self.figures, widths, strict=True):
            shown = shorten(text, cells)
            blank = " " * (cells - width(shown))
            padded.append(blank + shown if is_figure else shown + blank)
        return GAP.join(padded).rstrip()

    def _blocks(self, most_cells: int) -> Iterator[str]:
        """Every row as lines of a name and a value."""
        names = max(map(width, self.names))
        for place, row in enumerate(self.rows, start=1):
            yield f"── {place} ".ljust(min(most_cells, names + len(GAP) + NARROWEST), "─")
            for name, text in zip(self.names, row, strict=True):
                padded = name + " " * (names - width(name))
                yield shorten(f"{padded}{GAP}{text}", most_cells)

    def markdown(self) -> Iterator[str]:
        """The same as a table in Markdown."""
        marks = ["---:" if is_figure else ":---" for is_figure in self.figures]
        for line in (map(escape, self.names), marks, *(map(escape, row) for row in self.rows)):
            yield f"| {' | '.join(line)} |"
