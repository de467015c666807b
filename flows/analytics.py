"""The flow that turns raw movies into silver, gold, report and plots."""

from __future__ import annotations

import logging
from pathlib import Path

from prefect import flow

from flows.run_report import AnalyticsReport, timed
from flows.run_settings import run_settings
from flows.warm_up import engine_for
from settings import Settings
from tasks.analytics import kpis, published, transform
from tasks.context import SparkRoom, spark_context
from tasks.reporting import report
from tasks.stages import Stage

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 6 * 3600


@flow(name="refresh-analytics", validate_parameters=True, timeout_seconds=LONGEST_SECONDS)
async def refresh_analytics(
    stages: list[Stage] | None = None,
    refresh: bool = False,
    spark_master: str | None = None,
    lake_root: str | None = None,
    output_dir: Path | None = None,
) -> AnalyticsReport:
    """Bring silver, gold, report and plots up to date with the raw tables; what is so already is not redone.

    Args:
        stages: Only these of `transform`, `kpis` and `report`; all where none are given.
        refresh: Rebuild the tables even where nothing changed.
        spark_master: The engine; `SPARK_MASTER` where none is given.
        lake_root: Folder or URL of the tables; `LAKE_ROOT` where none is given.
        output_dir: Folder of report and plots; `OUTPUT_DIR` where none is given.
    """
    async with run_settings(
        spark_master=spark_master, lake_root=lake_root, output_dir=output_dir
    ) as settings:
        result = await bring_up_to_date(settings, set(stages or Stage), refresh)
        logger.info("%s", result.sentence())
    return result


async def bring_up_to_date(settings: Settings, wanted: set[Stage], refresh: bool) -> AnalyticsReport:
    """Run the wanted stages on one engine, which starts when one of them needs it."""
    lake = settings.lake
    result = AnalyticsReport()
    with spark_context(SparkRoom(lambda: engine_for(settings), rebuild=refresh)) as spark:
        with timed(result.seconds, Stage.TRANSFORM):
            silver = await transform(lake) if Stage.TRANSFORM in wanted else published(lake, Stage.TRANSFORM)
            result.describe_silver(silver)
        if wanted & {Stage.KPIS, Stage.REPORT}:
            with timed(result.seconds, Stage.KPIS):
                gold = await kpis(lake, silver) if Stage.KPIS in wanted else published(lake, Stage.KPIS)
                result.versions |= gold.versions
        if Stage.REPORT in wanted:
            with timed(result.seconds, Stage.REPORT):
                result.files = await report(lake, settings.output_dir, silver, gold)
        result.engine_started = spark.was_opened
    return result
