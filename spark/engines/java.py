"""Java: whether it is there, and what it writes while it starts."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from spark.errors import EngineUnavailable

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MINIMUM_JAVA = 17
# Java's own temporary folder on Linux, whatever TMPDIR says: libraries are unpacked there and loaded.
JAVA_TEMPORARY = Path("/tmp")


def require_java() -> None:
    """Raise EngineUnavailable unless `java -version` tells a version that Apache Spark can be run on here."""
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
    if sys.platform == "linux" and os.statvfs(JAVA_TEMPORARY).f_flag & os.ST_NOEXEC:
        raise EngineUnavailable(
            f"Apache Spark loads libraries from {JAVA_TEMPORARY}, which is mounted with noexec. Mount it "
            "with exec: for a container, --tmpfs /tmp:exec."
        )


def ships_delta() -> bool:
    """Whether Delta's JARs lie beside Spark's own, as in an image; they are resolved otherwise."""
    import pyspark

    home = Path(os.environ.get("SPARK_HOME") or Path(pyspark.__file__).parent)
    return any((home / "jars").rglob("delta-spark_*.jar"))


def jvm_death(session: SparkSession) -> str | None:
    """Why the JVM of a session in this process ended, in one sentence; None while it runs."""
    jvm = getattr(session.sparkContext._gateway, "proc", None)
    status = jvm.poll() if jvm is not None else None
    if status is None:
        return None
    if status == -signal.SIGKILL:
        return (
            "Spark's Java process was killed, for memory as a rule: give the machine or container more than "
            "SPARK_DRIVER_MEMORY and a gigabyte, or run on fewer SPARK_CORES"
        )
    return f"Spark's Java process ended with status {status}"


def log_complaint(log: Path) -> str:
    """The line of Spark's log that tells of an error: its last cause, what ended it, or the first such."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines()]
    causes = [line for line in lines if line.startswith("Caused by:")]
    # Before it, Ivy also complains of places that did not have what another had.
    ends = [line for line in lines if line.startswith("Exception in thread")]
    told = [line for line in lines if re.search(r"error|exception|unresolved|not found", line, re.I)]
    return [*causes[-1:], *ends, *told, "it gives no reason"][0][:200]


@contextmanager
def resolving_alone() -> Iterator[None]:
    """Let one process of a user at a time fetch JARs: Ivy has no lock, and two break each other's."""
    with FileLock(Path(tempfile.gettempdir()) / f"tmdb-movies-jars-{Path.home().name}.lock"):
        yield


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
