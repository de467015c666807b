"""Names of the themes of plots."""

from __future__ import annotations

from typing import Literal

Theme = Literal["light", "dark"]
