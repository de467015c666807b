"""The KPI task: silver through the gate of checks, then every gold table from the same scan."""

from __future__ import annotations

import logging
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from prefect import task

from movies.lake.commits import replace
from movies.lake.delta import TableVersion
from movies.lake.gold_tables import GOLD
from movies.lake.publications import current
from movies.lake.tables import DATA_QUALITY, RAW_MOVIES, SILVER_MOVIES
from spark.errors import DataQualityError
from stages.names import StageName
from tasks.caching import CACHE
from tasks.context import current_spark
from tasks.publishing import Order, Written, publish_stage
from tasks.showing import show_quality

logger = logging.getLogger(__name__)


@task(
    name=StageName.KPIS.value,
    task_run_name=StageName.KPIS.value,
    cache_policy=CACHE,
    result_serializer="json",
)
async def compute_gold(lake_root: str, code: str, silver_id: str, silver_version: int) -> dict[str, Any]:
    """Check silver, and compute every KPI table from the same scan of it."""
    inputs = {SILVER_MOVIES.name: TableVersion(silver_id, silver_version)}
    try:
        published = await publish_stage(StageName.KPIS, lake_root, inputs, code, write_gold)
    except DataQualityError:
        await show_quality(lake_root)
        raise
    await show_quality(lake_root)
    return published


def write_gold(order: Order) -> Written:
    """Check silver, and write what the gold tables have not yet; nothing where a check says no.

    Raises:
        DataQualityError: a check failed that was not accepted; its results are in `gold/data_quality`.
    """
    from spark.checks import run_checks
    from spark.checks.run import CHECKED_COLUMNS
    from spark.kpis import compute_tables, read_movies
    from spark.kpis.kpi import MOVIE_COLUMNS

    spark = current_spark()
    silver = current(order.lake_root, StageName.TRANSFORM)
    raw = {} if silver is None else {"raw_movies_version": silver.inputs[RAW_MOVIES.name].version}
    origin = order.origin(**raw)
    columns = dict.fromkeys((*MOVIE_COLUMNS, *CHECKED_COLUMNS))
    movies = read_movies(spark.session, order.lake_root, order.versions[SILVER_MOVIES.name], columns)
    # What the last published gold went through, not the last attempt: that may be what is wrong.
    before = None if order.previous is None else order.previous.facts.get("quality")
    results = run_checks(movies, before, datetime.now(UTC).date())
    quality = replace(DATA_QUALITY, order.lake_root, results.to_arrow(), origin)
    results.require(spark.accepted_checks)
    if warnings := results.describe_failed("warning"):
        logger.warning("%s", warnings)
    rows = compute_tables(movies)
    outputs = {table.name: replace(table, order.lake_root, rows[table.name], origin) for table in GOLD}
    return outputs, {
        "rows": {name: table.num_rows for name, table in rows.items()},
        "quality": results.values,
        "data_quality": asdict(quality),
        "warnings": [result.check for result in results.failed("warning")],
        "accepted": sorted(result.check for result in results.failed("error")),
    }
