"""Figures and names as people read them; whatever is unknown is an en dash."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

UNKNOWN = "–"  # noqa: RUF001
_INVISIBLE = {"Cc", "Cs", "Co", "Cn"}
# They turn the signs that follow around, also those of the next cell.
_TURNING = set("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_ZERO_WIDTH = {"Mn", "Me", "Cf"}


def known(value: float | None) -> bool:
    """Whether a figure is there; NaN counts as missing."""
    return value is not None and value == value


def money(musd: float | None) -> str:
    """Millions of dollars with one decimal; with three where one would hide the amount."""
    if musd is None or not known(musd):
        return UNKNOWN
    sign, amount = ("-" if musd < 0 else ""), abs(musd)
    if 0 < amount < 0.0005:
        return f"{sign}<$0.001M"
    if 0 < amount < 0.05:
        return f"{sign}${amount:.3f}M"
    return f"{sign}${amount:,.1f}M"


def short_money(musd: float | None) -> str:
    """An amount in the unit that makes it short, for titles and labels of plots."""
    if musd is None or not known(musd):
        return UNKNOWN
    sign, amount = ("-" if musd < 0 else ""), abs(musd)
    if amount >= 999.5:
        return f"{sign}${amount / 1000:,.1f}B"
    if amount >= 9.95:
        return f"{sign}${amount:.0f}M"
    if amount >= 0.9995:
        return f"{sign}${amount:.1f}M"
    if 0 < amount < 0.0005:
        return f"{sign}<$1K"
    return f"{sign}${amount * 1000:.0f}K"


def tick_money(musd: float) -> str:
    """An axis tick's amount, not rounded any further than the tick is."""
    sign, amount = ("-" if musd < 0 else ""), abs(musd)
    if amount >= 1000:
        return f"{sign}${amount / 1000:g}B"
    if amount >= 1:
        return f"{sign}${amount:g}M"
    return f"{sign}${amount * 1000:g}K" if amount else "$0"


def multiple(value: float | None) -> str:
    """A return as a multiple of the budget."""
    if value is None or not known(value):
        return UNKNOWN
    return "<0.01x" if 0 < value < 0.005 else f"{value:,.2f}x"


def rating(value: float | None, votes: int | None = None) -> str:
    """A rating out of ten, with its number of votes where that is given."""
    if not known(value):
        return UNKNOWN
    return f"{value:.2f}/10" if votes is None else f"{value:.2f}/10 ({counted(votes, 'vote')})"


def decimal(value: float | None) -> str:
    """A figure with two decimals."""
    return f"{value:,.2f}" if known(value) else UNKNOWN


def whole(value: int | None) -> str:
    """A number of things."""
    return f"{value:,}" if value is not None else UNKNOWN


def counted(number: int, noun: str) -> str:
    """A number of things by name, in the singular or plural."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def minutes(value: int | None) -> str:
    """A runtime."""
    return f"{value} min" if value is not None else UNKNOWN


def one_line(text: str | None) -> str:
    """Text without line breaks or control characters, so that it cannot leave its table row."""
    if text is None:
        return UNKNOWN
    straight = (sign for sign in text if sign not in _TURNING)
    visible = (" " if unicodedata.category(sign) in _INVISIBLE else sign for sign in straight)
    return " ".join("".join(visible).split()) or UNKNOWN


def enumeration(things: Sequence[object]) -> str:
    """Some things in a row: `a`, `a and b`, `a, b and 3 others`."""
    if len(things) <= 1:
        return "".join(map(str, things))
    if len(things) == 2:
        return f"{things[0]} and {things[1]}"
    return f"{things[0]}, {things[1]} and {counted(len(things) - 2, 'other')}"


def names(joined: str | None) -> str:
    """The names of a `|`-joined list, separated by commas."""
    return one_line(joined.replace("|", ", ")) if joined else UNKNOWN


def movie_name(title: str | None, release_year: int | None) -> str:
    """A title with its year, which tells remakes apart."""
    return one_line(title) if release_year is None else f"{one_line(title)} ({release_year})"


def width(text: str) -> int:
    """How many cells a text fills in a terminal: wide signs two, combining ones none."""
    return sum(
        0
        if unicodedata.category(sign) in _ZERO_WIDTH
        else 2
        if unicodedata.east_asian_width(sign) in "WF"
        else 1
        for sign in text
    )


def shorten(text: str, cells: int) -> str:
    """A text cut to a width, an ellipsis in place of what was cut."""
    if width(text) <= cells:
        return text
    kept = text
    while kept and width(kept) > cells - 1:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"
