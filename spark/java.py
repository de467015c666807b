"""Java: whether it is there, and what it writes while it starts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spark.errors import EngineUnavailable

MINIMUM_JAVA = 17


def require_java() -> None:
    """Raise EngineUnavailable unless `java -version` tells a version that Apache Spark runs on."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    wanted = f"Apache Spark needs Java {MINIMUM_JAVA} or later"
    if java is None:
        raise EngineUnavailable(f"{wanted}, and none was found in {'JAVA_HOME' if home else 'PATH'}.")
    try:
        told = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise EngineUnavailable(f"{wanted}, and `java -version` failed.") from error
    # `1.8.0_292` was Java 8, `17.0.15` is Java 17.
    version = re.search(r'version "(?:1\.)?(\d+)', told.stderr + told.stdout)
    if version is None or int(version[1]) < MINIMUM_JAVA:
        raise EngineUnavailable(
            f"{wanted}, and Java {version[1] if version else 'of no known version'} was found."
        )


def ships_delta() -> bool:
    """Whether Delta's JARs lie beside Spark's own, as in an image; they are resolved otherwise."""
    import pyspark

    home = Path(os.environ.get("SPARK_HOME") or Path(pyspark.__file__).parent)
    return any((home / "jars").glob("delta-spark_*.jar"))


def log_complaint(log: Path) -> str:
    """The first line of Spark's log that tells of an error."""
    lines = log.read_text(errors="replace").splitlines()
    told = [line.strip() for line in lines if re.search(r"error|exception|unresolved|not found", line, re.I)]
    return told[0][:200] if told else "it gives no reason"


@contextmanager
def stderr_to(log: Path) -> Iterator[None]:
    """Let processes started meanwhile, and their whole lives long, write their stderr into a file."""
    sys.stderr.flush()
    terminal = os.dup(2)
    try:
        with log.open("wb") as file:
            os.dup2(file.fileno(), 2)
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
