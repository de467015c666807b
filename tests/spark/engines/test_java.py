"""What is told of a start of Apache Spark that fails; two starts on a machine without JARs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from spark.engines.java import log_complaint

PROJECT_ROOT = Path(__file__).parents[3]
START = """
from spark.engines.session import open_engine
with open_engine("local[1]") as engine:
    print(engine.session.range(3).count())
"""


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        (
            [
                "Host packages.example not found. url=https://packages.example/slf4j-bom.jar",
                'Exception in thread "main" java.lang.RuntimeException: [download failed: delta-storage.jar]',
                "        at org.apache.spark.util.MavenUtils",
            ],
            'Exception in thread "main" java.lang.RuntimeException: [download failed: delta-storage.jar]',
        ),
        (
            [
                'Exception in thread "main" java.lang.ExceptionInInitializerError',
                "Caused by: java.net.UnknownHostException: driver: Name or service not known",
            ],
            "Caused by: java.net.UnknownHostException: driver: Name or service not known",
        ),
        (["WARNING: Using incubator modules", "java: not found"], "java: not found"),
        (["WARNING: Using incubator modules"], "it gives no reason"),
    ],
)
def test_a_start_that_fails_is_told_by_what_ended_it(lines, complaint, tmp_path):
    log = tmp_path / "spark.log"
    log.write_text("\n".join(lines))

    assert log_complaint(log) == complaint


@pytest.mark.long
@pytest.mark.jvm
def test_two_starts_at_once_fetch_jars_into_an_empty_home(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "JAVA_TOOL_OPTIONS": f"-Duser.home={home}"}
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", START],
            cwd=PROJECT_ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip

    told = [start.communicate(timeout=300) for start in starts]

    assert [out for out, _ in told] == ["3\n", "3\n"], told
    assert list(home.rglob("delta-spark_*.jar"))
