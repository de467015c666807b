"""A folder for the tables of one test."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def root(tmp_path: Path) -> str:
    """A lake without tables."""
    return str(tmp_path)
