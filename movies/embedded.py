"""Find out whether the embedded engine can run on this machine."""

from __future__ import annotations

import platform
import sys
import sysconfig
from dataclasses import dataclass
from importlib.util import find_spec

# Machines with wheels of pysail. The marker of its pin in pyproject.toml must agree.
WHEELS = {
    ("linux", "x86_64"),
    ("linux", "aarch64"),
    ("darwin", "x86_64"),
    ("darwin", "arm64"),
    ("win32", "AMD64"),
}


@dataclass(frozen=True)
class Machine:
    """What wheels depend on: `sys.platform`, `platform.machine()`, and the C library on Linux."""

    system: str
    processor: str
    has_musl: bool = False

    @classmethod
    def current(cls) -> Machine:
        """Describe this machine, as its interpreter sees it."""
        # As in `cpython-312-x86_64-linux-musl`; `platform.libc_ver` knows musl from Python 3.14 on only.
        tag = str(sysconfig.get_config_var("SOABI") or "")
        return cls(sys.platform, platform.machine(), has_musl=tag.endswith("musl"))


def is_installed() -> bool:
    """Return whether the embedded engine is installed; it may be, even on a machine without a wheel."""
    return find_spec("pysail") is not None


def reason_missing(machine: Machine) -> str:
    """Return a sentence that says why a machine does not have the embedded engine."""
    if machine.has_musl:
        return "The embedded engine has no wheel for musl."
    if (machine.system, machine.processor) not in WHEELS:
        return f"The embedded engine has no wheel for {machine.system} on {machine.processor}."
    return "The package pysail of the embedded engine is not installed."
