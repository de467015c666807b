"""Engines and lakes for the tests of Spark's room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from spark.engines.java import require_java
from spark.engines.session import CONNECT_MODE, Engine, EngineUnavailable, open_engine
from stages import transform_stage
from tests.spark.lakes import Payloads, fill_lake, read_payloads
from tests.spark.transforming import LakeOf, NewLake, Outcomes, transform


@pytest.fixture(scope="session")
def sail_engine() -> Iterator[Engine]:
    try:
        engine = open_engine("sail")
    except EngineUnavailable as error:
        pytest.skip(str(error))
    with engine:
        yield engine


@pytest.fixture(scope="session")
def jvm_engine() -> Iterator[Engine]:
    try:
        require_java()
    except EngineUnavailable as error:
        pytest.skip(str(error))
    with open_engine("local[2]") as engine:
        yield engine


@pytest.fixture
def sail(sail_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The embedded engine, with PySpark's functions building expressions for it."""
    monkeypatch.setenv(CONNECT_MODE, "1")
    return sail_engine


@pytest.fixture
def jvm(jvm_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Apache Spark in this process, with PySpark's functions building expressions for it."""
    monkeypatch.delenv(CONNECT_MODE, raising=False)
    return jvm_engine


@pytest.fixture(params=["sail", pytest.param("jvm", marks=pytest.mark.jvm)])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn."""
    found: Engine = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session")
def new_lake(tmp_path_factory: pytest.TempPathFactory) -> NewLake:
    """Make a lake whose raw table holds payloads, each given as `(movie_id, text)` or as a row."""

    def make(payloads: Payloads = ()) -> str:
        root = str(tmp_path_factory.mktemp("lake"))
        fill_lake(root, payloads)
        return root

    return make


@pytest.fixture(scope="session")
def transformed_lake(new_lake: NewLake, shared_data: Path) -> LakeOf:
    """Transform a file of payloads once for each engine, for all tests that read what comes out."""
    done: dict[tuple[str, str], tuple[str, Outcomes]] = {}

    def transformed(engine: Engine, name: str) -> tuple[str, Outcomes]:
        if (engine.name, name) not in done:
            lake_root = new_lake(read_payloads(shared_data / "data" / f"{name}.ndjson.gz"))
            done[engine.name, name] = lake_root, transform(engine.session, lake_root)
        return done[engine.name, name]

    return transformed


@pytest.fixture
def always_merging(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes are merged however few movies there are."""
    monkeypatch.setattr(transform_stage, "LARGEST_SHARE", 1.0)
