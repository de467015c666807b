"""The version and the pins, wherever the code lies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from movies import project


@pytest.fixture(autouse=True)
def read_again() -> Iterator[None]:
    project._declared.cache_clear()
    yield
    project._declared.cache_clear()


@pytest.mark.parametrize("beside", [None, '[project]\nname = "another"\nversion = "9"\n', "[tool.x]\n"])
def test_an_installed_wheel_has_the_version_and_pins_of_its_checkout(
    beside: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = project.version(), project.pinned_versions()
    read_from = tmp_path / "pyproject.toml"
    if beside is not None:
        read_from.write_text(beside)
    monkeypatch.setattr(project, "DECLARATION", read_from)
    project._declared.cache_clear()

    assert (project.version(), project.pinned_versions()) == declared


def test_every_direct_dependency_is_pinned() -> None:
    pins = project.pinned_versions()

    assert len(pins) == len(project._declared()[1])
    assert {name: pins[name] for name in ("pyspark", "pysail")} == {
        "pyspark": "4.2.0",
        "pysail": "0.7.2",
    }
