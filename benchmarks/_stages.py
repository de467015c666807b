"""The two Spark stages as the pipeline's tasks run them, but without Prefect."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from pyspark.sql import SparkSession

from movies.lake.delta import content_version, create
from movies.lake.publications import Publication, find_publication, publish
from movies.lake.tables import FETCH_FAILURES, IMDB_RATINGS, RAW_MOVIES, SILVER_MOVIES
from spark.engines.session import Engine
from stages.kpis_stage import write_gold
from stages.names import StageName
from stages.publishing import Order, Written
from stages.spark_run import SparkRun
from stages.transform_stage import write_silver


def write_silver_tables(
    session: SparkSession, lake_root: str, *, rebuild: bool, rated: bool = False
) -> dict[str, Any]:
    """Run the transform and publish it; without `rebuild`, validate only movies that have changed."""
    tables = (RAW_MOVIES, FETCH_FAILURES, *([IMDB_RATINGS] if rated else []))
    return _run(StageName.TRANSFORM, tables, write_silver, session, lake_root, rebuild)


def write_gold_tables(session: SparkSession, lake_root: str) -> dict[str, Any]:
    """Check silver, write gold and publish it."""
    return _run(StageName.KPIS, (SILVER_MOVIES,), write_gold, session, lake_root, False)


def _run(
    stage: StageName, tables: Any, write: Any, session: SparkSession, lake_root: str, rebuild: bool
) -> dict[str, Any]:
    found = {table.name: create(table, lake_root) for table in tables}
    inputs = {name: content_version(one) for name, one in found.items()}
    versions = {name: one.version() for name, one in found.items()}
    order = Order(lake_root, inputs, versions, "benchmark", "", find_publication(lake_root, stage))
    # The caller has opened the engine and will close it.
    opened = Engine("opened", session, ExitStack())
    written: Written = write(order, SparkRun(lambda: opened, rebuild=rebuild))
    publish(lake_root, Publication(stage, inputs, written[0], "benchmark", written[1]))
    return written[1]
