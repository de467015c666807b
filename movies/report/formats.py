"""Format figures and names for readers; unknown values are an en dash."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

UNKNOWN = "–"  # noqa: RUF001
# Maximum length of a name. The longest title at TMDB has some 250 characters; a payload may have millions.
LONGEST = 500
# Larger figures are written with an exponent, because their digits would take too much space.
HUGE = 1e15
_INVISIBLE = {"Cc", "Cs", "Co", "Cn"}
# They reverse the direction of the following text, even in the next cell.
_TURNING = set("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def known(value: float | None) -> bool:
    """Return whether a figure is known; NaN and infinity, from sums beyond a double, are not."""
    return value is not None and math.isfinite(value)


def money(musd: float | None) -> str:
    """Format millions of dollars with one decimal, or with three if the amount is small."""
    if musd is None or not known(musd):
        return UNKNOWN
    sign, amount = ("-" if musd < 0 else ""), abs(musd)
    if amount * 1e6 >= HUGE:
        return f"{sign}${_exponent(amount * 1e6)}"
    if 0 < amount < 0.0005:
        return f"{sign}<$0.001M"
    if 0 < amount < 0.05:
        return f"{sign}${amount:.3f}M"
    return f"{sign}${amount:,.1f}M"


def short_money(musd: float | None) -> str:
    """Format an amount in a short unit, for titles and labels of plots."""
    if musd is None or not known(musd):
        return UNKNOWN
    sign, amount = ("-" if musd < 0 else ""), abs(musd)
    if amount * 1e6 >= HUGE:
        return f"{sign}${_exponent(amount * 1e6)}"
    if amount >= 999_500:
        return f"{sign}${amount / 1e6:,.1f}T"
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
    """Format the amount of an axis tick without further rounding."""
    sign, amount = ("-" if musd < 0 else ""), abs(musd)
    if amount * 1e6 >= HUGE:
        return f"{sign}${tick(amount * 1e6)}"
    if amount >= 1e6:
        return f"{sign}${amount / 1e6:g}T"
    if amount >= 1000:
        return f"{sign}${amount / 1000:g}B"
    if amount >= 1:
        return f"{sign}${amount:g}M"
    return f"{sign}${amount * 1000:g}K" if amount else "$0"


def tick(value: float) -> str:
    """Format the figure of an axis tick without further rounding."""
    return f"{value:.10g}".replace("e+", "e") if abs(value) >= HUGE else f"{value:,.10g}"


def multiple(value: float | None) -> str:
    """Format a return as a multiple of the budget."""
    if value is None or not known(value):
        return UNKNOWN
    return "<0.01x" if 0 < value < 0.005 else f"{decimal(value)}x"


def rating(value: float | None, votes: int | None = None) -> str:
    """Format a rating out of ten, with its number of votes if given."""
    if not known(value):
        return UNKNOWN
    return f"{decimal(value)}/10" if votes is None else f"{decimal(value)}/10 ({counted(votes, 'vote')})"


def decimal(value: float | None) -> str:
    """Format a figure with two decimals."""
    if value is None or not known(value):
        return UNKNOWN
    return _exponent(value) if abs(value) >= HUGE else f"{value:,.2f}"


def _exponent(value: float) -> str:
    return f"{value:.1e}".replace("e+", "e")


def whole(value: int | None) -> str:
    """Format a whole number."""
    return f"{value:,}" if value is not None else UNKNOWN


def counted(number: int, noun: str) -> str:
    """Format a number with a noun in the singular or plural."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def minutes(value: int | None) -> str:
    """Format a runtime."""
    return f"{value} min" if value is not None else UNKNOWN


def one_line(text: str | None) -> str:
    """Cut a text to `LONGEST` characters, and make it safe for a table row as `straight_line` does."""
    if text is None or len(text) <= LONGEST:
        return straight_line(text)
    # Cut first, because checking each character of a long text is slow.
    return f"{straight_line(text[: LONGEST - 1])}…"


def straight_line(text: str | None) -> str:
    """Remove line breaks and control characters from a text."""
    if text is None:
        return UNKNOWN
    straight = (sign for sign in text if sign not in _TURNING)
    visible = (" " if unicodedata.category(sign) in _INVISIBLE else sign for sign in straight)
    return " ".join("".join(visible).split()) or UNKNOWN


def enumeration(things: Sequence[object]) -> str:
    """Enumerate things: `a`, `a and b`, `a, b and 3 others`."""
    if len(things) <= 1:
        return "".join(map(str, things))
    if len(things) == 2:
        return f"{things[0]} and {things[1]}"
    return f"{things[0]}, {things[1]} and {counted(len(things) - 2, 'other')}"


def names(joined: str | None) -> str:
    """Format a `|`-joined list with commas."""
    return one_line(joined[: LONGEST + 1].replace("|", ", ")) if joined else UNKNOWN


def movie_name(title: str | None, release_year: int | None) -> str:
    """Format a title with its year, which distinguishes remakes."""
    return one_line(title) if release_year is None else f"{one_line(title)} ({release_year})"


def shorten(text: str, cells: int) -> str:
    """Cut a text to a width in terminal cells, with an ellipsis."""
    if cell_len(text) <= cells:
        return text
    return f"{set_cell_size(text, cells - 1).rstrip()}…"
