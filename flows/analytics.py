"""The flow that turns raw movies into silver, gold, report and plots."""

from __future__ import annotations

import logging
from collections.abc import Collection
from pathlib import Path

from flows.checked import flow
from flows.parameters import AnalyticsStage, SilverVersion
from flows.planning import announce_data
from flows.run_names import name_analytics
from flows.run_report import AnalyticsReport, timed
from flows.run_settings import run_settings
from flows.states import concluded
from flows.warm_up import engine_for
from movies.report.provenance import describe_data
from movies.settings import Settings
from tasks.analytics import kpis, published, transform
from tasks.context import SparkRoom, spark_context
from tasks.report_as_of import report_as_of
from tasks.reporting import report
from tasks.stages import Stage

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 6 * 3600


@flow(
    name="refresh-analytics",
    flow_run_name=name_analytics,
    validate_parameters=True,
    timeout_seconds=LONGEST_SECONDS,
)
@concluded(AnalyticsReport.headline)
async def refresh_analytics(
    stages: list[AnalyticsStage] | None = None,
    refresh: bool = False,
    spark_master: str | None = None,
    lake_root: str | None = None,
    output_dir: Path | None = None,
    accept_checks: list[str] | None = None,
    as_of_version: SilverVersion = None,
    imdb_ratings: str | None = None,
) -> AnalyticsReport:
    """Bring silver, gold, report and plots up to date with the raw tables; what is so already is not redone.

    Args:
        stages: Only these of `transform`, `kpis` and `report`; all where none are given.
        refresh: Rebuild the tables even where nothing changed.
        spark_master: The engine; `SPARK_MASTER` where none is given.
        lake_root: Folder or URL of the tables; `LAKE_ROOT` where none is given.
        output_dir: Folder of report and plots; `OUTPUT_DIR` where none is given.
        accept_checks: Publish though these data quality checks fail.
        as_of_version: Write report and plots of this version of `silver/movies` instead, into a folder of
            their own in `output_dir`; no table is touched.
        imdb_ratings: Where IMDb's ratings came from; `IMDB_RATINGS` where nothing is given. With either,
            silver has those that are in the lake.
    """
    async with run_settings(
        spark_master=spark_master, lake_root=lake_root, output_dir=output_dir, imdb_ratings=imdb_ratings
    ) as settings:
        source = announce_data(settings)
        if as_of_version is not None:
            result = await look_back(settings, as_of_version)
        else:
            result = await bring_up_to_date(settings, set(stages or Stage), refresh, accept_checks or ())
        logger.info("%s. %s", result.sentence(), describe_data(source))
    return result


async def bring_up_to_date(
    settings: Settings, wanted: set[Stage], refresh: bool, accepted_checks: Collection[str]
) -> AnalyticsReport:
    """Run the wanted stages on one engine, which starts when one of them needs it."""
    lake = settings.lake
    result = AnalyticsReport()
    room = SparkRoom(lambda: engine_for(settings), rebuild=refresh, accepted_checks=accepted_checks)
    with spark_context(room) as spark:
        with timed(result.seconds, Stage.TRANSFORM):
            if Stage.TRANSFORM in wanted:
                silver = await transform(lake, with_ratings=settings.imdb_ratings is not None)
            else:
                silver = published(lake, Stage.TRANSFORM)
            result.describe_silver(silver)
        if wanted & {Stage.KPIS, Stage.REPORT}:
            with timed(result.seconds, Stage.KPIS):
                gold = await kpis(lake, silver) if Stage.KPIS in wanted else published(lake, Stage.KPIS)
                result.describe_gold(gold)
        if Stage.REPORT in wanted:
            with timed(result.seconds, Stage.REPORT):
                result.files, result.files_made = await report(
                    lake, settings.output_dir, settings.plot_theme, silver, gold
                )
        result.engine_started = spark.was_opened
    return result


async def look_back(settings: Settings, version: int) -> AnalyticsReport:
    """Write report and plots of an older silver, from KPIs that are computed anew and kept nowhere."""
    result = AnalyticsReport(engine_started=True)
    with spark_context(SparkRoom(lambda: engine_for(settings))), timed(result.seconds, Stage.REPORT):
        result.files = await report_as_of(settings.lake, settings.output_dir, settings.plot_theme, version)
    return result
