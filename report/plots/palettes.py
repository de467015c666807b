"""Colour scales for figures, evenly darker and nowhere too light for a white sheet."""

from __future__ import annotations

from matplotlib.colors import LinearSegmentedColormap

LIGHT_TO_DARK = LinearSegmentedColormap.from_list(
    "light_to_dark", ["#A9D3EC", "#3B93C8", "#0B5A93", "#0A1F44"]
)
OLD_TO_NEW = LinearSegmentedColormap.from_list("old_to_new", ["#F0C24B", "#D55E00", "#8B2A6B", "#1B1F5E"])
