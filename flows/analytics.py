"""The flow `refresh-analytics`, from raw movies to silver, gold, report and plots."""

from __future__ import annotations

import logging

from flows.checked import flow
from flows.planning import announce_data
from flows.request import AnalyticsRequest
from flows.run_names import name_analytics
from flows.run_report import AnalyticsReport, timed
from flows.run_settings import run_of
from flows.warm_up import open_engine_of_run
from movies.report.provenance import describe_data
from movies.settings import Settings
from stages.names import StageName
from stages.report_stage import report_stages
from stages.spark_run import SparkRun
from tasks.context import RunContext, spark_context
from tasks.report_as_of import report_as_of
from tasks.reporting import report
from tasks.spark_tables import kpis, require_published, transform

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 6 * 3600


@flow(
    AnalyticsRequest,
    AnalyticsReport.headline,
    name="refresh-analytics",
    flow_run_name=name_analytics,
    timeout_seconds=LONGEST_SECONDS,
)
async def refresh_analytics(request: AnalyticsRequest) -> AnalyticsReport:
    """Bring silver, gold, report and plots up to date with the raw tables; skip what is current."""
    async with run_of(request) as run:
        source = announce_data(run)
        if request.as_of_version is not None:
            result = await look_back(run.settings, request.as_of_version)
        else:
            result = await bring_up_to_date(run, request)
        logger.info("%s. %s", result.sentence(), describe_data(source))
    return result


async def bring_up_to_date(run: RunContext, request: AnalyticsRequest) -> AnalyticsReport:
    """Run the wanted stages on one engine, which starts only if one of them needs it."""
    settings, wanted = run.settings, {*request.wanted}
    result = AnalyticsReport()
    with spark_context(
        SparkRun(open_engine_of_run, rebuild=request.refresh, accepted_checks=request.accept_checks or ())
    ) as spark:
        with timed(result.seconds, StageName.TRANSFORM):
            if StageName.TRANSFORM in wanted:
                silver = await transform(with_ratings=settings.imdb_ratings is not None)
            else:
                silver = require_published(run.lake, StageName.TRANSFORM)
            result.describe_silver(silver)
        if wanted & {StageName.KPIS, StageName.REPORT}:
            with timed(result.seconds, StageName.KPIS):
                has_kpis = StageName.KPIS in wanted
                gold = await kpis() if has_kpis else require_published(run.lake, StageName.KPIS)
                result.describe_gold(gold)
        if StageName.REPORT in wanted:
            with timed(result.seconds, StageName.REPORT):
                stages = report_stages(settings.output_dir, settings.plot_theme)
                result.files, result.files_made = await report(stages)
        result.engine_started = spark.was_opened
    return result


async def look_back(settings: Settings, version: int) -> AnalyticsReport:
    """Write report and plots of an older silver, from KPIs that are computed again and not stored."""
    result = AnalyticsReport(engine_started=True)
    with spark_context(SparkRun(open_engine_of_run)), timed(result.seconds, StageName.REPORT):
        result.files = await report_as_of(settings.lake, settings.output_dir, settings.plot_theme, version)
    return result
