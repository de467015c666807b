"""Find free space for texts between the points of a plot, in pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Where readers expect a name, in this order: right of its point first.
_DIRECTIONS = (
    *((1.0, 0.0), (1.0, 1.0), (1.0, -1.0), (-1.0, 0.0), (-1.0, 1.0), (-1.0, -1.0), (0.0, 1.0), (0.0, -1.0)),
    *((1.0, 0.5), (1.0, -0.5), (-1.0, 0.5), (-1.0, -0.5), (0.5, 1.0), (-0.5, 1.0), (0.5, -1.0), (-0.5, -1.0)),
)
_DISTANCES = (8.0, 19.0, 33.0, 54.0, 83.0, 121.0, 167.0)
_GAP = 4.0
# Costs in pixels of distance from the text's own point: for each point that the text covers, and for each
# other named point so close that the text could be taken for its name.
_COVERED_COST = 25.0
_MISTAKEN_COST = 83.0
# A text that would cover more points is left out, because it could be the name of any of them.
_MOST_COVERED = 2


class Point(NamedTuple):
    """A point on the sheet, in pixels."""

    x: float
    y: float


class Box(NamedTuple):
    """An upright rectangle."""

    left: float
    bottom: float
    right: float
    top: float

    @classmethod
    def around(cls, centre: Point, width: float, height: float) -> Box:
        """Return the rectangle with a centre and a size."""
        return cls(centre.x - width / 2, centre.y - height / 2, centre.x + width / 2, centre.y + height / 2)

    @property
    def centre(self) -> Point:
        """The centre."""
        return Point((self.left + self.right) / 2, (self.bottom + self.top) / 2)

    def grown(self, gap: float) -> Box:
        """Return the rectangle with a rim around it; a negative gap makes it smaller."""
        return Box(self.left - gap, self.bottom - gap, self.right + gap, self.top + gap)

    def within(self, outer: Box) -> bool:
        """Return whether it is completely inside another."""
        return (
            self.left >= outer.left
            and self.bottom >= outer.bottom
            and self.right <= outer.right
            and self.top <= outer.top
        )

    def overlaps(self, other: Box) -> bool:
        """Return whether it overlaps another."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.bottom < other.top
            and other.bottom < self.top
        )

    def holds(self, points: NDArray[np.float64]) -> int:
        """Count the points, given as rows of x and y, inside it."""
        x, y = points[:, 0], points[:, 1]
        inside = (x > self.left) & (x < self.right) & (y > self.bottom) & (y < self.top)
        return int(np.count_nonzero(inside))

    def meets_line(self, start: Point, end: Point) -> bool:
        """Return whether a line passes through it (by Liang and Barsky's clipping)."""
        enter, leave = 0.0, 1.0
        for origin, step, low, high in (
            (start.x, end.x - start.x, self.left, self.right),
            (start.y, end.y - start.y, self.bottom, self.top),
        ):
            if step == 0:
                if not low < origin < high:
                    return False
                continue
            first, last = sorted(((low - origin) / step, (high - origin) / step))
            enter, leave = max(enter, first), min(leave, last)
        return enter < leave


class Spot(NamedTuple):
    """The place of a text, and its distance from its point."""

    box: Box
    distance: float


@dataclass
class Room:
    """The free space inside a frame; each placed text takes some of it."""

    frame: Box
    points: NDArray[np.float64]
    texts: list[Box] = field(default_factory=list)
    lines: list[tuple[Point, Point]] = field(default_factory=list)

    def find(
        self, point: Point, width: float, height: float, radius: float, others: list[Box]
    ) -> Spot | None:
        """Return the best place for a point's text, near it and over few other points, or None."""
        best, lowest = None, math.inf
        for distance in _DISTANCES:
            if distance >= lowest:
                break
            for right, up in _DIRECTIONS:
                reach = (distance + radius) / math.hypot(right, up)
                centre = Point(point.x + right * (reach + width / 2), point.y + up * (reach + height / 2))
                box = Box.around(centre, width, height)
                if not self._is_free(box, point):
                    continue
                covered = box.grown(radius).holds(self.points)
                if covered > _MOST_COVERED:
                    continue
                mistaken = sum(box.overlaps(other) for other in others)
                cost = distance + _COVERED_COST * covered + _MISTAKEN_COST * mistaken
                if cost < lowest:
                    best, lowest = Spot(box, distance), cost
        return best

    def take(self, spot: Spot, point: Point) -> None:
        """Reserve a text's place and the line to its point."""
        self.texts.append(spot.box)
        self.lines.append((point, spot.box.centre))

    def _is_free(self, box: Box, point: Point) -> bool:
        wide = box.grown(_GAP)
        return (
            box.within(self.frame)
            and not any(wide.overlaps(text) or text.meets_line(point, box.centre) for text in self.texts)
            and not any(wide.meets_line(*line) for line in self.lines)
        )
