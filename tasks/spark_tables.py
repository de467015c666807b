"""The tasks that make silver and gold, if they are stale.

Each is cached on the content of its input tables and on its code. A cached result is used only if the stage
is current in the lake.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from prefect import Task, runtime, task

from movies.lake.delta import LakeView, TableVersion, create, open_table
from movies.lake.integrity import require_files
from movies.lake.publications import Publication, find_intact, publish, read_publications
from movies.lake.tables import FETCH_FAILURES, IMDB_RATINGS, RAW_MOVIES
from spark.spark_errors import DataQualityError
from stages.kpis_stage import KPIS_STAGE, write_gold
from stages.names import StageName
from stages.publishing import Order, Written, make_tables
from stages.spark_run import SparkRun
from stages.stage import Inputs, TableStage, facts_of, why_stale
from stages.transform_stage import transform_stage, write_silver
from tasks.caching import CACHE
from tasks.context import current_run, current_spark
from tasks.showing import show_quality

logger = logging.getLogger(__name__)

# The content of tables as JSON, by their names: part of the cache key.
Contents = dict[str, tuple[str, int]]


class MissingInputError(Exception):
    """The input of a stage is missing; the text says which stage to run."""


def require_published(lake: LakeView, stage: StageName) -> Publication:
    """Return the publication of a stage, which may be stale.

    Raises:
        MissingInputError: it has not run yet, or its tables were changed by something else.
    """
    found = find_intact(lake, stage)
    if found is None:
        raise MissingInputError(
            f"The lake at {lake.root} has no current result of the stage '{stage}'. Run it first"
        )
    return found


async def transform(with_ratings: bool) -> Publication:
    """Bring silver up to date with the raw tables; IMDb's ratings are among them if they are wanted.

    Raises:
        MissingInputError: there are no raw movies, or no ratings.
        FilesLostError: raw tables have lost files.
    """
    lake = current_run().lake
    _require_raw(lake, with_ratings)
    return await _bring_up_to_date(transform_stage(with_ratings), transform_movies)


async def kpis() -> Publication:
    """Bring the gold tables up to date with the published silver."""
    return await _bring_up_to_date(KPIS_STAGE, compute_gold)


@task(
    name=StageName.TRANSFORM.value,
    task_run_name=StageName.TRANSFORM.value,
    cache_policy=CACHE,
    result_serializer="json",
)
async def transform_movies(lake_root: str, code: str, contents: Contents) -> dict[str, Any]:
    """Validate raw payloads: movies into silver, rejected ones into quarantine, others counted with a reason.

    Movies get IMDb's ratings if those are among the contents.
    """
    stage = transform_stage(with_ratings=IMDB_RATINGS.name in contents)
    return await _make_if_stale(stage, lake_root, contents, write_silver)


@task(
    name=StageName.KPIS.value,
    task_run_name=StageName.KPIS.value,
    cache_policy=CACHE,
    result_serializer="json",
)
async def compute_gold(lake_root: str, code: str, contents: Contents) -> dict[str, Any]:
    """Check silver, and compute every KPI table from the same scan of it."""
    lake = current_run().lake
    try:
        made = await _make_if_stale(KPIS_STAGE, lake_root, contents, write_gold)
    except DataQualityError:
        await show_quality(lake)
        raise
    await show_quality(lake)
    return made


async def _bring_up_to_date(stage: TableStage, stage_task: Task[..., Any]) -> Publication:
    lake = current_run().lake
    inputs = stage.find_inputs(lake)
    is_stale = current_spark().rebuild or bool(why_stale(stage, lake))
    contents = {name: (read.table_id, read.version) for name, read in inputs.items()}
    await stage_task.with_options(refresh_cache=is_stale)(lake.root, stage.code, contents)
    found = read_publications(lake)[stage.name]
    if found.inputs != inputs:
        # Nothing in the new rows changes the result. Later comparisons begin with these versions.
        found = replace(found, inputs=inputs)
        publish(lake.root, found)
        lake.forget()
    return found


async def _make_if_stale(
    stage: TableStage, lake_root: str, contents: Contents, write: Callable[[Order, SparkRun], Written]
) -> dict[str, Any]:
    lake, spark = current_run().lake, current_spark()
    # Prefect may have lost its cached result of a stage that is current.
    if not spark.rebuild and not why_stale(stage, lake):
        return facts_of(read_publications(lake)[stage.name])
    inputs: Inputs = {name: TableVersion(*content) for name, content in contents.items()}
    run_id = str(runtime.flow_run.id or "")
    try:
        made = await asyncio.to_thread(make_tables, stage, lake_root, inputs, run_id, spark, write)
    finally:
        lake.forget()
    return facts_of(made)


def _require_raw(lake: LakeView, with_ratings: bool) -> None:
    raw = open_table(RAW_MOVIES, lake)
    if raw is None:
        raise MissingInputError(f"There are no raw movies in {lake.root}: run the stage 'ingest' first")
    require_files(RAW_MOVIES, raw)
    if (failures := open_table(FETCH_FAILURES, lake)) is None:
        # Spark cannot read a missing table, and a copied lake may lack it.
        create(FETCH_FAILURES, lake.root)
        lake.forget()
    else:
        require_files(FETCH_FAILURES, failures)
    if with_ratings:
        ratings = open_table(IMDB_RATINGS, lake)
        if ratings is None:
            raise MissingInputError(
                f"There are no IMDb ratings in {lake.root}: run the stage 'ingest' with IMDB_RATINGS first"
            )
        require_files(IMDB_RATINGS, ratings)
