"""Values of any table as text in a cell."""

from __future__ import annotations

import json
import math
from datetime import datetime
from typing import Any

from movies.report.formats import UNKNOWN, straight_line

DECIMALS = 4
SMALLEST = 0.001
# A double has 17 digits: those of a larger one are no information.
LARGEST = 1e21


def cell(value: Any) -> str:
    """A value on one line: null as a dash, numbers with at most four decimals, times to the second."""
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return number(value)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, bytes):
        return value.hex() or UNKNOWN
    if isinstance(value, dict | list):
        return straight_line(json.dumps(value, ensure_ascii=False, default=str))
    return straight_line(str(value))


def number(value: float) -> str:
    """At most four decimals, or three digits if these would hide it, 15 of a huge one; never in groups."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else str(value)
    if 0 < abs(value) < SMALLEST:
        return f"{value:.3g}"
    if abs(value) >= LARGEST:
        return f"{value:.15g}"
    text = f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
