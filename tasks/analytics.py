"""The Spark tasks: silver from raw, gold from silver.

Each is cached on the content of its input tables and on its code. The lake has the last word: a cached result
counts only while the lake's publication still names those inputs and every table it lists is there unchanged.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any

from prefect import runtime, task

from lake.commits import replace
from lake.delta import TableVersion, content_version, create, open_table, query, version_to_read
from lake.publications import TABLES_BY_NAME, Publication, current, find_current, publish
from lake.tables import FETCH_FAILURES, GOLD, QUARANTINE, RAW_MOVIES, SILVER_MOVIES
from tasks.caching import CACHE, code_version
from tasks.context import current_spark
from tasks.stages import Stage

logger = logging.getLogger(__name__)

# What decides a stage's result, besides its input tables.
READING = (
    "lake",
    *("spark/connect.py", "spark/frames.py", "spark/options.py", "spark/session.py"),
    "tasks/analytics.py",
)
CODE = {
    Stage.TRANSFORM: (*READING, "spark/payloads.py", "spark/silver.py", "spark/transform.py"),
    Stage.KPIS: (*READING, "spark/kpis"),
}
LIBRARIES = ("deltalake", "pyarrow", "pysail", "pyspark")


class MissingInputError(Exception):
    """What a stage works on is not there; the text says which stage makes it."""


def published(lake_root: str, stage: Stage) -> Publication:
    """What a stage has left in the lake.

    Raises:
        MissingInputError: it has not run yet, or its tables were changed by something else.
    """
    found = current(lake_root, stage)
    if found is None:
        raise MissingInputError(
            f"The lake at {lake_root} has no current result of the stage '{stage}': run it first"
        )
    return found


def standing(lake_root: str) -> tuple[Publication, Publication] | None:
    """What transform and KPIs have left, if neither would have anything to do now; needs no engine."""
    raw, failures = open_table(RAW_MOVIES, lake_root), open_table(FETCH_FAILURES, lake_root)
    if raw is None or failures is None:
        return None
    inputs = {RAW_MOVIES.name: content_version(raw), FETCH_FAILURES.name: content_version(failures)}
    silver = find_current(lake_root, Stage.TRANSFORM, inputs, _code(Stage.TRANSFORM))
    if silver is None:
        return None
    inputs = {SILVER_MOVIES.name: silver.outputs[SILVER_MOVIES.name]}
    gold = find_current(lake_root, Stage.KPIS, inputs, _code(Stage.KPIS))
    return None if gold is None else (silver, gold)


async def transform(lake_root: str) -> Publication:
    """Bring silver up to date with the raw tables."""
    raw = open_table(RAW_MOVIES, lake_root)
    if raw is None:
        raise MissingInputError(f"There are no raw movies in {lake_root}: run the stage 'ingest' first")
    # Spark cannot read a table that is not there, and a lake from elsewhere may have come without it.
    failures = create(FETCH_FAILURES, lake_root)
    inputs = {RAW_MOVIES.name: content_version(raw), FETCH_FAILURES.name: content_version(failures)}
    return await _bring_up_to_date(transform_movies, Stage.TRANSFORM, inputs, lake_root)


async def kpis(lake_root: str, silver: Publication) -> Publication:
    """Bring the gold tables up to date with the published silver."""
    inputs = {SILVER_MOVIES.name: silver.outputs[SILVER_MOVIES.name]}
    return await _bring_up_to_date(compute_gold, Stage.KPIS, inputs, lake_root)


async def _bring_up_to_date(
    stage_task: Any, stage: Stage, inputs: dict[str, TableVersion], lake_root: str
) -> Publication:
    code = _code(stage)
    is_current = _standing(lake_root, stage, inputs, code) is not None
    contents = chain.from_iterable((read.table_id, read.version) for read in inputs.values())
    await stage_task.with_options(refresh_cache=not is_current)(lake_root, *contents, code)
    return published(lake_root, stage)


def _code(stage: Stage) -> str:
    return code_version(CODE[stage], LIBRARIES)


@task(
    name=Stage.TRANSFORM.value,
    task_run_name=Stage.TRANSFORM.value,
    cache_policy=CACHE,
    result_serializer="json",
)
async def transform_movies(
    lake_root: str, raw_id: str, raw_version: int, failures_id: str, failures_version: int, code: str
) -> dict[str, Any]:
    """Parse raw payloads into silver, and set the refused ones aside in quarantine."""
    inputs = {
        RAW_MOVIES.name: TableVersion(raw_id, raw_version),
        FETCH_FAILURES.name: TableVersion(failures_id, failures_version),
    }
    return await _publish(Stage.TRANSFORM, lake_root, inputs, code, _write_silver)


@task(
    name=Stage.KPIS.value,
    task_run_name=Stage.KPIS.value,
    cache_policy=CACHE,
    result_serializer="json",
)
async def compute_gold(lake_root: str, silver_id: str, silver_version: int, code: str) -> dict[str, Any]:
    """Compute every KPI table from one read of silver."""
    inputs = {SILVER_MOVIES.name: TableVersion(silver_id, silver_version)}
    return await _publish(Stage.KPIS, lake_root, inputs, code, _write_gold)


async def _publish(
    stage: Stage,
    lake_root: str,
    inputs: dict[str, TableVersion],
    code: str,
    write: Callable[..., tuple[dict[str, TableVersion], dict[str, Any]]],
) -> dict[str, Any]:
    """Write a stage's tables and publish them last; the result names what is published."""
    # Prefect may have lost its cached result while the lake still has what it was about.
    publication = _standing(lake_root, stage, inputs, code)
    if publication is None:
        versions = [_version_to_read(lake_root, name, read) for name, read in inputs.items()]
        with current_spark().deaths_explained():
            outputs, facts = await asyncio.to_thread(write, lake_root, *versions)
        run_id = str(runtime.flow_run.id or "")
        publication = Publication(stage, inputs, outputs, code, facts, run_id)
        publish(lake_root, publication)
        read = ", ".join(f"{name} version {read.version}" for name, read in inputs.items())
        logger.info("%s of %s: %s", stage, read, sentence(facts))
    return {"versions": publication.versions, **publication.facts}


def sentence(facts: Mapping[str, Any]) -> str:
    """What a stage has made, in words."""
    if "rows" in facts:
        return f"{sum(facts['rows'].values()):,} rows in {len(facts['rows'])} tables"
    refused = (("filtered", facts["filtered"]), ("in quarantine", facts["quarantined"]))
    counts = [f"{sum(reasons.values()):,} {what}" for what, reasons in refused]
    return ", ".join([f"{facts['movies']:,} movies", *counts])


def _standing(lake_root: str, stage: Stage, inputs: dict[str, TableVersion], code: str) -> Publication | None:
    return None if current_spark().rebuild else find_current(lake_root, stage, inputs, code)


def _version_to_read(lake_root: str, name: str, read: TableVersion) -> int:
    found = open_table(TABLES_BY_NAME[name], lake_root)
    assert found is not None, f"{name} has just been there"
    return version_to_read(found, read)


def _write_silver(
    lake_root: str, raw_version: int, failures_version: int
) -> tuple[dict[str, TableVersion], dict[str, Any]]:
    from spark.transform import transform as transform_raw

    # Spark's own table creation would make NOT NULL columns here and there; delta-rs does as declared.
    tables = [create(table, lake_root) for table in (SILVER_MOVIES, QUARANTINE)]
    counts = transform_raw(current_spark().session, lake_root, raw_version, failures_version)
    for table in tables:
        table.update_incremental()
    outputs = {
        SILVER_MOVIES.name: content_version(tables[0]),
        QUARANTINE.name: content_version(tables[1]),
    }
    return outputs, {
        "movies": counts.movies,
        "filtered": counts.filtered,
        "quarantined": counts.quarantined,
        "fetched_until": _fetched_until(lake_root, raw_version),
    }


def _fetched_until(lake_root: str, raw_version: int) -> str | None:
    raw = open_table(RAW_MOVIES, lake_root, raw_version)
    assert raw is not None
    moment = query(raw, "SELECT max(fetched_at) AS moment FROM t").column("moment")[0].as_py()
    return moment.isoformat() if moment else None


def _write_gold(lake_root: str, silver_version: int) -> tuple[dict[str, TableVersion], dict[str, Any]]:
    from spark.kpis import compute_kpis

    rows = compute_kpis(current_spark().session, lake_root, silver_version)
    outputs = {table.name: replace(table, lake_root, rows[table.name]) for table in GOLD}
    return outputs, {"rows": {name: table.num_rows for name, table in rows.items()}}
