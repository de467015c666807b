"""Check for Java, and read what Spark's JVM writes while it starts."""

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

from spark.spark_errors import EngineUnavailable

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MINIMUM_JAVA = 17
# Java's temporary folder on Linux, which ignores TMPDIR. Libraries are unpacked there and loaded.
JAVA_TEMPORARY = Path("/tmp")


def require_java() -> None:
    """Raise EngineUnavailable unless `java -version` shows a version that can run Apache Spark."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    wanted = f"Apache Spark needs Java {MINIMUM_JAVA} or later"
    if java is None:
        raise EngineUnavailable(f"{wanted}, and none was found in {'JAVA_HOME' if home else 'PATH'}.")
    try:
        shown = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise EngineUnavailable(f"{wanted}, and `java -version` failed.") from error
    # `1.8.0_292` was Java 8, `17.0.15` is Java 17.
    version = re.search(r'version "(?:1\.)?(\d+)', shown.stderr + shown.stdout)
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
    """Return whether Delta's JARs are beside Spark's own, as in an image; otherwise they are downloaded."""
    import pyspark

    home = Path(os.environ.get("SPARK_HOME") or Path(pyspark.__file__).parent)
    return any((home / "jars").rglob("delta-spark_*.jar"))


def jvm_death(session: SparkSession) -> str | None:
    """Return a sentence about why the session's JVM ended, or None while it runs."""
    # Private in PySpark 4.2.0.
    jvm = getattr(session.sparkContext._gateway, "proc", None)
    status = jvm.poll() if jvm is not None else None
    if status is None:
        return None
    if status == -signal.SIGKILL:
        return (
            "Spark's Java process was killed, usually for memory. Give the machine or container more than "
            "SPARK_DRIVER_MEMORY and a gigabyte, or run on fewer SPARK_CORES"
        )
    return f"Spark's Java process ended with status {status}"


def log_complaint(log: Path) -> str:
    """Return the line of Spark's log about the error: the last cause, or the first error."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines()]
    causes = [line for line in lines if line.startswith("Caused by:")]
    # Errors before these may be Ivy's, about repositories that did not have a JAR.
    ends = [line for line in lines if line.startswith("Exception in thread")]
    errors = [line for line in lines if re.search(r"error|exception|unresolved|not found", line, re.I)]
    return [*causes[-1:], *ends, *errors, "it gives no reason"][0][:200]


@contextmanager
def resolving_alone() -> Iterator[None]:
    """Lock the download of JARs: Ivy has no lock, and two processes of a user would break each other's."""
    with FileLock(Path(tempfile.gettempdir()) / f"tmdb-movies-jars-{Path.home().name}.lock"):
        yield


@contextmanager
def stderr_to(log: Path) -> Iterator[None]:
    """Let processes that are started in the block write their stderr to a file until they end."""
    sys.stderr.flush()
    terminal = os.dup(2)
    try:
        with log.open("wb") as file:
            os.dup2(file.fileno(), 2)
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
