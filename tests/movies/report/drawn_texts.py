"""What a plot writes, and where: every text as it is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from unittest.mock import patch

from matplotlib.backend_bases import RendererBase
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from movies.report.gold import Gold
from movies.report.plots import render
from movies.report.provenance import Provenance


@dataclass(frozen=True)
class DrawnText:
    words: str
    extent: Bbox
    may_be_formula: bool

    def overlaps(self, other: DrawnText) -> bool:
        return (
            self.extent.x0 + 1 < other.extent.x1
            and other.extent.x0 + 1 < self.extent.x1
            and self.extent.y0 + 1 < other.extent.y1
            and other.extent.y0 + 1 < self.extent.y1
        )


def drawn_texts(name: str, gold: Gold, provenance: Provenance) -> list[DrawnText]:
    """Render a plot and note its texts."""
    drawn: list[DrawnText] = []
    draw = Text.draw

    def note(text: Text, renderer: RendererBase) -> None:
        if text.get_visible() and text.get_text().strip():
            # An annotation's own extent includes its arrow.
            extent = Text.get_window_extent(text, renderer)
            drawn.append(DrawnText(text.get_text(), extent, text.get_parse_math()))
        draw(text, renderer)

    with patch.object(Text, "draw", note):
        render(name, gold, provenance)
    return drawn


def overlapping(texts: list[DrawnText]) -> Iterator[tuple[str, str]]:
    for place, text in enumerate(texts):
        for other in texts[place + 1 :]:
            if text.overlaps(other):
                yield text.words, other.words
