"""Opening and stopping engines, and what is told where one cannot be had."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import functions as F

from spark.engines.session import CONNECT_MODE, Engine, EngineOptions, EngineUnavailable, open_engine
from spark.frames import keep_result

pysail = pytest.importorskip("pysail.spark", reason="the embedded engine is not installed")


@pytest.fixture
def bare_server(sail: Engine) -> Iterator[str]:
    """A Spark Connect server that somebody else started, with no room to keep results."""
    server = pysail.SparkConnectServer(port=0)
    server.start(background=True)
    host, port = server.listening_address
    yield f"sc://{host}:{port}"
    server.stop()


@pytest.mark.parametrize("master", ["", "yarn", "local[x]", "sail://there", "spark"])
def test_unknown_master_is_told_with_the_possible_ones(master: str) -> None:
    with pytest.raises(EngineUnavailable, match=r"is not a valid SPARK_MASTER; expected sail, docker, local"):
        open_engine(master)


def test_missing_docker_engine_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    with warnings.catch_warnings():
        # The Docker client leaves its socket to the garbage collector where it cannot connect.
        warnings.simplefilter("ignore", ResourceWarning)
        with pytest.raises(EngineUnavailable, match=r"^No Docker engine answers. Start one, or set another"):
            open_engine("docker")
        gc.collect()


def test_missing_java_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(EngineUnavailable, match="needs Java 17 or later, and none was found in JAVA_HOME"):
        open_engine("local[*]")


@pytest.mark.parametrize(("told", "version"), [("1.8.0_292", "8"), ("11.0.2", "11")])
def test_java_that_is_too_old_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: str, version: str
) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{told}\"' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(EngineUnavailable, match=f"Java {version} was found"):
        open_engine("spark://nowhere:7077")


def test_dead_connect_server_is_told_without_the_token() -> None:
    with pytest.raises(EngineUnavailable) as caught:
        open_engine("sc://127.0.0.1:9/;token=secret")
    assert str(caught.value) == "No Spark Connect server answers at sc://127.0.0.1:9."


def test_running_connect_server_is_used_and_left_running(bare_server: str) -> None:
    for _ in range(2):
        with open_engine(bare_server) as engine:
            assert engine.name == bare_server
            assert engine.session.range(3).count() == 3


def test_results_are_computed_again_where_they_cannot_be_kept(bare_server: str) -> None:
    with open_engine(bare_server) as engine:
        kept = keep_result(engine.session.range(3).select((F.col("id") + 1).alias("n")))
        assert kept.toArrow().to_pydict() == {"n": [1, 2, 3]}


def test_failing_queries_are_no_matter_of_keeping(sail: Engine) -> None:
    with pytest.raises(PySparkException, match="no_such_column"):
        keep_result(sail.session.range(3).select("no_such_column"))


USE_AND_STOP = """
from spark.frames import keep_result
from spark.engines.session import EngineOptions, open_engine

engine = open_engine("sail", EngineOptions(driver_memory="1g"))
assert keep_result(engine.session.range(3)).count() == 3
engine.stop()
engine.stop()
with open_engine("sail") as engine:
    assert engine.session.range(3).count() == 3
"""


def test_embedded_engine_stops_twice_and_leaves_nothing(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != CONNECT_MODE}

    ended = subprocess.run(
        [sys.executable, "-c", USE_AND_STOP],
        env=environment | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("memory", ["much", "2 gigabytes", "-1g"])
def test_memory_that_cannot_be_read_is_told(memory: str) -> None:
    with pytest.raises(EngineUnavailable, match="is not a valid amount of memory"):
        open_engine("sail", EngineOptions(driver_memory=memory))


def test_timestamps_are_utc_on_every_engine(engine: Engine) -> None:
    assert engine.session.conf.get("spark.sql.session.timeZone") == "UTC"
