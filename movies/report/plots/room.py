"""The room that texts find between each other and the points of a plot, in pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# In the order in which a reader expects a name: right of its point first.
_DIRECTIONS = (
    *((1.0, 0.0), (1.0, 1.0), (1.0, -1.0), (-1.0, 0.0), (-1.0, 1.0), (-1.0, -1.0), (0.0, 1.0), (0.0, -1.0)),
    *((1.0, 0.5), (1.0, -0.5), (-1.0, 0.5), (-1.0, -0.5), (0.5, 1.0), (-0.5, 1.0), (0.5, -1.0), (-0.5, -1.0)),
)
_DISTANCES = (8.0, 19.0, 33.0, 54.0, 83.0, 121.0, 167.0)
_GAP = 4.0
# What a text costs, in pixels that it might as well be further from its point: for each point it covers, and
# for each named point that it stands so close to as to be taken for its name.
_COVERED_COST = 25.0
_MISTAKEN_COST = 83.0
# A text that would cover more is left out: it could be read as the name of any of them.
_MOST_COVERED = 2


class Point(NamedTuple):
    """A place on the sheet."""

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
        """The rectangle of a size about its centre."""
        return cls(centre.x - width / 2, centre.y - height / 2, centre.x + width / 2, centre.y + height / 2)

    @property
    def centre(self) -> Point:
        """The middle."""
        return Point((self.left + self.right) / 2, (self.bottom + self.top) / 2)

    def grown(self, gap: float) -> Box:
        """The rectangle with a rim about it; smaller where the gap is negative."""
        return Box(self.left - gap, self.bottom - gap, self.right + gap, self.top + gap)

    def within(self, outer: Box) -> bool:
        """Whether nothing of it is outside another."""
        return (
            self.left >= outer.left
            and self.bottom >= outer.bottom
            and self.right <= outer.right
            and self.top <= outer.top
        )

    def overlaps(self, other: Box) -> bool:
        """Whether it shares any room with another."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.bottom < other.top
            and other.bottom < self.top
        )

    def holds(self, points: NDArray[np.float64]) -> int:
        """How many points, given as rows of x and y, are in it."""
        x, y = points[:, 0], points[:, 1]
        inside = (x > self.left) & (x < self.right) & (y > self.bottom) & (y < self.top)
        return int(np.count_nonzero(inside))

    def meets_line(self, start: Point, end: Point) -> bool:
        """Whether a line passes through it (clipped side by side, after Liang and Barsky)."""
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
    """Where a text is put, and how far from its point."""

    box: Box
    distance: float


@dataclass
class Room:
    """What is free inside a frame; each text that is put there takes of it."""

    frame: Box
    points: NDArray[np.float64]
    texts: list[Box] = field(default_factory=list)
    lines: list[tuple[Point, Point]] = field(default_factory=list)

    def find(
        self, point: Point, width: float, height: float, radius: float, others: list[Box]
    ) -> Spot | None:
        """The best place for a point's text: near, and over few other points; None where there is none."""
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
        """Keep a text's place, and the way to its point, free of later ones."""
        self.texts.append(spot.box)
        self.lines.append((point, spot.box.centre))

    def _is_free(self, box: Box, point: Point) -> bool:
        wide = box.grown(_GAP)
        return (
            box.within(self.frame)
            and not any(wide.overlaps(text) or text.meets_line(point, box.centre) for text in self.texts)
            and not any(wide.meets_line(*line) for line in self.lines)
        )
