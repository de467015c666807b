"""The sheets that plots are drawn on, by name."""

from __future__ import annotations

from typing import Literal

Theme = Literal["light", "dark"]
