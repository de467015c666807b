"""What a plot is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from movies.report.gold import FEW_MOVIES, Gold
from movies.report.plots.palettes import Palette


@dataclass(frozen=True)
class Plot:
    """A picture of the gold tables: what it says, how to read it, how it is drawn, its figures in words."""

    name: str
    subject: str
    size_inches: tuple[float, float]
    count: Callable[[Gold], int]
    finding: Callable[[Gold], str]
    reading: Callable[[Gold], str]
    draw: Callable[[Gold, Figure, Palette], None]
    figures: Callable[[Gold], str]

    def title(self, gold: Gold) -> str:
        """What is seen in these data; that there is too little, where there is."""
        return self.finding(gold) if self.count(gold) else f"Too few movies for {self.subject}"

    def note(self, gold: Gold) -> str:
        """How to read the picture, with a warning where it shows almost nothing."""
        number = self.count(gold)
        if not number:
            return ""
        few = f" Too few movies for a pattern: {number}." if number < FEW_MOVIES else ""
        return self.reading(gold) + few
