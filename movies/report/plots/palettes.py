"""Colours for a light and a dark sheet, with the same hues for the same things."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from matplotlib.colors import Colormap, LinearSegmentedColormap, to_hex, to_rgb

from movies.report.themes import Theme


@dataclass(frozen=True)
class Palette:
    """The colours of a plot. The hues are Okabe and Ito's, which all kinds of colour vision can distinguish.

    `few_to_many` and `old_to_new` are scales for figures; their contrast to the sheet grows evenly, and is
    never too small.
    """

    sheet: str
    ink: str
    grey: str
    edge: str
    faint: str
    blue: str
    orange: str
    vermillion: str
    green: str
    sky: str
    pale_share: float
    few_to_many: Colormap
    old_to_new: Colormap

    def pale(self, colour: str) -> str:
        """Mix a colour with the sheet's, for less important parts."""
        pairs = zip(to_rgb(colour), to_rgb(self.sheet), strict=True)
        share = self.pale_share
        red, green, blue = (share * part + (1 - share) * rest for part, rest in pairs)
        return str(to_hex((red, green, blue)))


def _scale(name: str, *colours: str) -> Colormap:
    return LinearSegmentedColormap.from_list(name, list(colours))


LIGHT = Palette(
    sheet="#ffffff",
    ink="#222222",
    grey="#6b6b6b",
    edge="#9a9a9a",
    faint="#e4e4e4",
    blue="#0072B2",
    orange="#E69F00",
    vermillion="#D55E00",
    green="#009E73",
    sky="#56B4E9",
    pale_share=0.4,
    few_to_many=_scale("light_to_dark", "#A9D3EC", "#3B93C8", "#0B5A93", "#0A1F44"),
    old_to_new=_scale("old_to_new", "#F0C24B", "#D55E00", "#8B2A6B", "#1B1F5E"),
)
DARK = Palette(
    sheet="#14171b",
    ink="#e9eaec",
    grey="#a4abb3",
    edge="#757d86",
    faint="#2c3138",
    blue="#4AA8E0",
    orange="#F0B13C",
    vermillion="#FF8B52",
    green="#2DBE94",
    sky="#2F7FB0",
    pale_share=0.5,
    few_to_many=_scale("dark_to_light", "#2C5674", "#3F8FC4", "#86C6EE", "#F2F9FF"),
    old_to_new=_scale("old_to_new_on_dark", "#F5CE62", "#FF8B52", "#D46DB3", "#93A9FF"),
)
PALETTES: Mapping[Theme, Palette] = MappingProxyType({"light": LIGHT, "dark": DARK})
