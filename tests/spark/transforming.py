"""The transform as the pipeline runs it, without Prefect."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from movies.lake import data_files
from movies.lake.delta import content_version, create
from movies.lake.publications import Publication, find_publication, publish
from movies.lake.tables import FETCH_FAILURES, IMDB_RATINGS, RAW_MOVIES
from spark.engines.session import Engine
from stages.names import StageName
from stages.publishing import Order
from stages.spark_run import SparkRun
from stages.transform_stage import write_silver
from tests.spark.lakes import read_silver


@dataclass(frozen=True)
class Outcomes:
    """What became of the movies in the raw tables."""

    movies: int
    quarantined: dict[str, int]
    filtered: dict[str, int]


# The fixtures `new_lake` and `transformed_lake`.
NewLake = Callable[..., str]
LakeOf = Callable[[Engine, str], tuple[str, Outcomes]]


class Killed(BaseException):
    """What a test ends the transform with; nothing handles it."""


@contextmanager
def killed_after(commits: int, way: str) -> Iterator[None]:
    """Have the block end at the commit after so many that are made in a way, and nowhere else."""
    commit, done = getattr(data_files, way), iter(range(commits))

    def end_after(*arguments: Any) -> Any:
        if next(done, None) is None:
            raise Killed
        return commit(*arguments)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(data_files, way, end_after)
        yield


def transform(
    session: SparkSession,
    lake_root: str,
    raw: int | None = None,
    failures: int | None = None,
    *,
    rebuild: bool = True,
    rated: bool = False,
) -> Outcomes:
    """Bring silver up to date and publish it, as a rule all of it anew.

    Without `rebuild`, only what has changed since the last call is judged, where that is known. Where silver
    is to be `rated`, the lake has IMDb's ratings.
    """
    return outcomes(transform_facts(session, lake_root, raw, failures, rebuild=rebuild, rated=rated))


def outcomes(facts: dict) -> Outcomes:
    return Outcomes(facts["movies"], facts["quarantined"], facts["filtered"])


def transform_facts(
    session: SparkSession,
    lake_root: str,
    raw: int | None = None,
    failures: int | None = None,
    *,
    rebuild: bool,
    rated: bool = False,
) -> dict:
    """The same, with all that the stage tells of it."""
    raw_tables = (RAW_MOVIES, FETCH_FAILURES, *([IMDB_RATINGS] if rated else []))
    tables = {table.name: create(table, lake_root) for table in raw_tables}
    asked = {RAW_MOVIES.name: raw, FETCH_FAILURES.name: failures}
    inputs = {name: content_version(found) for name, found in tables.items()}
    versions = {
        name: found.version() if asked.get(name) is None else asked[name] for name, found in tables.items()
    }
    order = Order(lake_root, inputs, versions, "test", "", find_publication(lake_root, StageName.TRANSFORM))
    # An engine that somebody else has opened, and will close.
    opened = Engine("opened", session, ExitStack())
    outputs, facts = write_silver(order, SparkRun(lambda: opened, rebuild=rebuild))
    publish(lake_root, Publication(StageName.TRANSFORM, inputs, outputs, "test", facts))
    return facts


def updated_and_rebuilt(
    session: SparkSession, lake_root: str, copy: Path, *, rated: bool = False
) -> tuple[Any, Any]:
    """Silver as an update leaves it, beside silver as made anew from the same raw tables in a new lake."""
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(Path(lake_root) / "raw", copy / "raw")
    update = transform(session, lake_root, rebuild=False, rated=rated), read_silver(lake_root)
    return update, (transform(session, str(copy), rated=rated), read_silver(str(copy)))
