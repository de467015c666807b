"""Which machines have the embedded engine, and what the others are told."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from movies import embedded
from movies.embedded import Machine, is_installed, reason_missing
from movies.settings import Settings
from spark.engines.session import EngineUnavailable, open_engine

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
NOT_INSTALLED = "The package pysail of the embedded engine is not installed."
MACHINES = {
    Machine("linux", "x86_64"): NOT_INSTALLED,
    Machine("linux", "aarch64"): NOT_INSTALLED,
    Machine("darwin", "x86_64"): NOT_INSTALLED,
    Machine("darwin", "arm64"): NOT_INSTALLED,
    Machine("win32", "AMD64"): NOT_INSTALLED,
    Machine("win32", "ARM64"): "The embedded engine has no wheel for win32 on ARM64.",
    Machine("linux", "riscv64"): "The embedded engine has no wheel for linux on riscv64.",
    Machine("linux", "armv7l"): "The embedded engine has no wheel for linux on armv7l.",
    Machine("freebsd14", "amd64"): "The embedded engine has no wheel for freebsd14 on amd64.",
    Machine("linux", "x86_64", has_musl=True): "The embedded engine has no wheel for musl.",
    Machine("linux", "aarch64", has_musl=True): "The embedded engine has no wheel for musl.",
}


@pytest.fixture
def without_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the embedded engine."""
    monkeypatch.setattr(embedded, "is_installed", lambda: False)
    monkeypatch.setattr("spark.engines.session.is_installed", lambda: False)
    monkeypatch.setitem(sys.modules, "pysail.spark", None)


@pytest.mark.parametrize(("machine", "reason"), MACHINES.items(), ids=str)
def test_why_a_machine_has_no_embedded_engine_is_true(machine: Machine, reason: str) -> None:
    assert reason_missing(machine) == reason


@pytest.mark.parametrize("machine", MACHINES, ids=str)
def test_it_is_installed_wherever_it_has_a_wheel(machine: Machine) -> None:
    """On musl too, as far as markers go: they cannot tell it from glibc."""
    dependencies = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["dependencies"]
    [pin] = [Requirement(one) for one in dependencies if one.startswith("pysail")]
    assert pin.marker is not None

    is_asked_for = pin.marker.evaluate(
        {"sys_platform": machine.system, "platform_machine": machine.processor}
    )

    assert is_asked_for == ((machine.system, machine.processor) in embedded.WHEELS)


@pytest.mark.parametrize(
    ("tag", "has_musl"),
    [
        ("cpython-312-x86_64-linux-gnu", False),
        ("cpython-311-aarch64-linux-musl", True),
        ("cpython-313-darwin", False),
        (None, False),
    ],
)
def test_musl_is_known_by_the_tag_of_the_interpreter(
    tag: str | None, has_musl: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sysconfig.get_config_var", lambda name: tag if name == "SOABI" else None)

    assert Machine.current().has_musl is has_musl


def test_an_engine_that_is_installed_is_the_default_and_nothing_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(embedded, "is_installed", lambda: True)
    settings = Settings(_env_file=None)

    assert (settings.spark_master, settings.engine_fallback) == ("sail", None)


@pytest.mark.usefixtures("without_engine")
def test_without_it_apache_spark_is_the_default_and_why_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Machine, "current", classmethod(lambda cls: cls("linux", "aarch64", has_musl=True)))
    settings = Settings(_env_file=None)

    assert settings.spark_master == "local[*]"
    assert settings.engine_fallback == (
        "The embedded engine has no wheel for musl. "
        "Apache Spark (local[*]) is used instead, which needs Java."
    )
    assert Settings(_env_file=None, spark_master="local[2]").engine_fallback is None


@pytest.mark.usefixtures("without_engine")
def test_asked_for_all_the_same_it_is_refused_with_the_reason() -> None:
    with pytest.raises(EngineUnavailable, match=r"not installed\. Set SPARK_MASTER=local"):
        open_engine("sail")


def test_an_engine_that_does_not_load_says_what_the_system_says(monkeypatch: pytest.MonkeyPatch) -> None:
    if not is_installed():
        pytest.skip("the embedded engine is not installed")
    monkeypatch.setitem(sys.modules, "pysail.spark", None)

    with pytest.raises(EngineUnavailable, match=r"^The embedded engine cannot be loaded: .*pysail"):
        open_engine("sail")
