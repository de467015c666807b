"""The pipeline: TMDB → raw → silver → gold → report, plots and artifacts."""

from __future__ import annotations

import logging

from flows.analytics import refresh_analytics
from flows.checked import flow
from flows.delegation import delegate_analytics, require_deployment
from flows.ingest import ingest_movies
from flows.planning import announce_data
from flows.request import RunRequest
from flows.run_names import name_pipeline
from flows.run_report import IncompleteIngestionError, RunReport, timed
from flows.run_settings import run_of
from movies.lake.delta import current_version
from movies.lake.tables import RAW_MOVIES
from stages.names import StageName
from tasks.showing import show_run

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 30 * 3600


@flow(
    RunRequest,
    RunReport.headline,
    name="movie-pipeline",
    flow_run_name=name_pipeline,
    timeout_seconds=LONGEST_SECONDS,
)
async def movie_pipeline(request: RunRequest) -> RunReport:
    """Fetch movies from TMDB, bring the tables up to date, and show the results."""
    report = RunReport()
    async with run_of(request) as run:
        report.source = announce_data(run)
        analytics, deployment = request.analytics, request.analytics_deployment
        if analytics and deployment:
            # Fail before hours of fetching.
            await require_deployment(deployment)
        if StageName.INGEST in request.wanted:
            with timed(report.seconds, StageName.INGEST):
                report.ingestion = await ingest_movies(**request.ingestion.parameters)
        # After an outage, the other stages use what the lake has.
        if report.ingestion.outage and current_version(RAW_MOVIES, run.lake) is None:
            raise IncompleteIngestionError(report)
        if analytics and deployment:
            report.analytics = await delegate_analytics(deployment, run, analytics)
        elif analytics:
            report.analytics = await refresh_analytics(**analytics.parameters)
        report.seconds |= report.analytics.seconds
        logger.info("%s. %s", report.sentence(), report.data)
        await show_run(report.rows(), report.analytics.versions, report.source)
        if not report.ingestion.is_complete:
            raise IncompleteIngestionError(report)
    return report
