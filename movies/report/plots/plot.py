"""The declaration of a plot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from movies.report.gold import FEW_MOVIES, Gold
from movies.report.plots.palettes import Palette


@dataclass(frozen=True)
class Plot:
    """A plot of the gold tables: its finding, how to read it, how to draw it, and its figures in words."""

    name: str
    subject: str
    size_inches: tuple[float, float]
    count: Callable[[Gold], int]
    finding: Callable[[Gold], str]
    reading: Callable[[Gold], str]
    draw: Callable[[Gold, Figure, Palette], None]
    figures: Callable[[Gold], str]

    def title(self, gold: Gold) -> str:
        """Return the finding, or that there are too few movies."""
        return self.finding(gold) if self.count(gold) else f"Too few movies for {self.subject}"

    def note(self, gold: Gold) -> str:
        """Explain how to read the plot, with a warning if there are few movies."""
        number = self.count(gold)
        if not number:
            return ""
        few = f" Too few movies for a pattern: {number}." if number < FEW_MOVIES else ""
        return self.reading(gold) + few
