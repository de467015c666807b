"""Place names beside points so that they do not cover each other, and if possible no points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from movies.report import style
from movies.report.formats import one_line, shorten
from movies.report.plots import canvas
from movies.report.plots.movie_points import Numbers
from movies.report.plots.palettes import Palette
from movies.report.plots.room import Box, Point, Room, Spot

_LEADER_FROM_PIXELS = 19.0
_CLEAR_PIXELS = 10.0
_LINE_HEIGHT = 1.25
_NAME_CELLS = 34


@dataclass(frozen=True)
class PointLabel:
    """A name and its point in data coordinates; the area of the marker is in square points."""

    x: float
    y: float
    name: str
    marker_area: float = 0.0


def place_labels(
    axes: Axes,
    labels: Sequence[PointLabel],
    x: Numbers,
    y: Numbers,
    palette: Palette,
    *,
    keep_clear: Sequence[Text] = (),
) -> None:
    """Write as many names as fit, the first ones first; x and y are all drawn points.

    This fixes the figure's layout, so later calls must not move the axes.
    """
    figure = axes.get_figure(root=True)
    assert isinstance(figure, Figure), "axes of a sheet"
    canvas.settle(figure)
    renderer = canvas.renderer(figure)
    pixels = figure.dpi / 72
    room = Room(
        Box(*axes.get_window_extent(renderer).extents).grown(-4),
        axes.transData.transform(np.column_stack((x, y))),
        [Box(*text.get_window_extent(renderer).extents) for text in keep_clear],
    )
    points = [Point(*axes.transData.transform((label.x, label.y))) for label in labels]
    radii = [math.sqrt(label.marker_area / math.pi) * pixels for label in labels]
    dots = [
        Box.around(point, 0, 0).grown(radius + _CLEAR_PIXELS)
        for point, radius in zip(points, radii, strict=True)
    ]
    for place, (label, point, radius) in enumerate(zip(labels, points, radii, strict=True)):
        name = style.drawable(shorten(one_line(label.name), _NAME_CELLS))
        width = canvas.text_width(figure, name, style.LABEL_POINTS)
        height = style.LABEL_POINTS * _LINE_HEIGHT * pixels
        spot = room.find(point, width, height, radius, [*dots[:place], *dots[place + 1 :]])
        if spot is not None:
            room.take(spot, point)
            _write(axes, palette, label, name, point, spot)


def _write(axes: Axes, palette: Palette, label: PointLabel, name: str, point: Point, spot: Spot) -> None:
    centre = spot.box.centre
    leader = {
        "arrowstyle": "-",
        "color": palette.grey,
        "linewidth": 0.7,
        "shrinkA": 1,
        "shrinkB": math.sqrt(label.marker_area / math.pi),
    }
    axes.annotate(
        name,
        (label.x, label.y),
        (centre.x - point.x, centre.y - point.y),
        textcoords="offset pixels",
        ha="center",
        va="center",
        fontsize=style.LABEL_POINTS,
        arrowprops=leader if spot.distance >= _LEADER_FROM_PIXELS else None,
        path_effects=halo(palette),
        annotation_clip=False,
        zorder=6,
    )


def halo(palette: Palette) -> list[patheffects.AbstractPathEffect]:
    """Return a rim of the sheet's colour, which keeps a text readable over points and lines."""
    return [patheffects.withStroke(linewidth=2.2, foreground=palette.sheet, alpha=0.85)]
