"""A folder for the tables of one test, and another writer beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Meanwhile = Callable[..., None]


@pytest.fixture
def root(tmp_path: Path) -> str:
    """A lake without tables."""
    return str(tmp_path)


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Lets another writer act once, right before a module calls a function, or right after that."""

    def let_act(module: object, name: str, act: Callable[[], object], *, after: bool = False) -> None:
        original = getattr(module, name)

        def call(*arguments: Any, **options: Any) -> Any:
            monkeypatch.setattr(module, name, original)
            if after:
                result = original(*arguments, **options)
                act()
                return result
            act()
            return original(*arguments, **options)

        monkeypatch.setattr(module, name, call)

    return let_act
