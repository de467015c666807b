"""Fonts, sizes and settings of all plots; colours are in palettes."""

from __future__ import annotations

import functools
import re
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import matplotlib
from matplotlib import font_manager

if TYPE_CHECKING:
    from movies.report.plots.palettes import Palette

DPI = 150

TITLE_POINTS = 14.0
NOTE_POINTS = 9.5
LABEL_POINTS = 8.5
CAPTION_POINTS = 7.5

# Fallbacks in this order for characters that the first font lacks; fonts that are not installed are ignored.
FONT = "DejaVu Sans"
FALLBACK_FONTS = (
    "Noto Sans",
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Noto Sans JP",
    "Source Han Sans",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "Droid Sans Fallback",
    "IPAexGothic",
    "IPAGothic",
    "VL Gothic",
    "NanumGothic",
    "Hiragino Sans",
    "Hiragino Sans GB",
    "PingFang SC",
    "Heiti TC",
    "Apple SD Gothic Neo",
    "Arial Unicode MS",
    "Yu Gothic",
    "MS Gothic",
    "SimHei",
    "Microsoft YaHei",
    "Malgun Gothic",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "Noto Emoji",
)
_NO_GLYPH = "□"
_LEFT_OUT = {"Mn", "Me", "Cf", "Cc", "Cs", "Sk"}


@functools.cache
def font_families() -> tuple[str, ...]:
    """Return the fonts to draw with: the bundled one, then those of this machine for other scripts."""
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return (FONT, *(name for name in FALLBACK_FONTS if name in installed))


# Matplotlib's settings belong to the process, so only one thread may change them at a time.
_ONE_AT_A_TIME = threading.Lock()


@contextmanager
def house_style(palette: Palette) -> Iterator[None]:
    """Use the project's style for the length of the block, instead of the user's `matplotlibrc`."""
    settings: dict[Any, Any] = {
        "font.family": list(font_families()),
        "font.size": 9.5,
        # A title such as "$9.99" is not a formula.
        "text.parse_math": False,
        "figure.facecolor": palette.sheet,
        "axes.facecolor": palette.sheet,
        "text.color": palette.ink,
        "axes.labelcolor": palette.ink,
        "axes.edgecolor": palette.edge,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.grid": True,
        "axes.titlesize": 10.5,
        "axes.titlelocation": "left",
        "axes.titleweight": "bold",
        "grid.color": palette.faint,
        "grid.linewidth": 0.8,
        "xtick.color": palette.edge,
        "ytick.color": palette.edge,
        "xtick.labelcolor": palette.ink,
        "ytick.labelcolor": palette.ink,
    }
    with _ONE_AT_A_TIME, matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(settings)
        yield


def drawable(text: str) -> str:
    """Replace each run of characters that the fonts lack by a box."""
    drawn = "".join(sign if ord(sign) in _signs() else _stand_in(sign) for sign in text)
    return re.sub(f"{_NO_GLYPH}(?:[\\s\\u200d\\ufe0f]*{_NO_GLYPH})+", _NO_GLYPH, drawn)


def _stand_in(sign: str) -> str:
    return "" if unicodedata.category(sign) in _LEFT_OUT else _NO_GLYPH


@functools.cache
def _signs() -> frozenset[int]:
    """Return the code points for which one of the fonts has a glyph."""
    paths = [font_manager.findfont(family) for family in font_families()]
    return frozenset().union(*(font_manager.get_font(path).get_charmap() for path in paths))
