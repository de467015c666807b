"""The pipeline: TMDB → raw → silver → gold → report, plots and artifacts."""

from __future__ import annotations

import logging
from pathlib import Path

from flows.analytics import refresh_analytics
from flows.checked import flow
from flows.delegation import delegate_analytics, require_deployment
from flows.ingest import ingest_movies
from flows.parameters import AnalyticsStage, MaxMinutes, MaxRequests, MovieId, SilverVersion, SourceName
from flows.planning import announce_data
from flows.run_names import name_pipeline
from flows.run_report import IncompleteIngestionError, RunReport, timed
from flows.run_settings import run_settings
from flows.states import concluded
from movies.lake.delta import current_version
from movies.lake.tables import RAW_MOVIES
from tasks.showing import show_run
from tasks.stages import Stage

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 30 * 3600


@flow(
    name="movie-pipeline",
    flow_run_name=name_pipeline,
    validate_parameters=True,
    timeout_seconds=LONGEST_SECONDS,
)
@concluded(RunReport.headline)
async def movie_pipeline(
    movie_ids: list[MovieId] | None = None,
    movie_ids_file: Path | None = None,
    source: SourceName = "ids",
    filters: dict[str, str] | None = None,
    stages: list[Stage] | None = None,
    refresh: bool = False,
    max_requests: MaxRequests = None,
    max_minutes: MaxMinutes = None,
    spark_master: str | None = None,
    lake_root: str | None = None,
    output_dir: Path | None = None,
    analytics_deployment: str | None = None,
    accept_checks: list[str] | None = None,
    as_of_version: SilverVersion = None,
    imdb_ratings: str | None = None,
) -> RunReport:
    """Fetch movies from TMDB, bring the tables up to date, and show what they say.

    Args:
        movie_ids: TMDB ids; `INGESTION_MOVIE_IDS` where none are given.
        movie_ids_file: A file of ids instead, for more than a few thousand.
        source: Where the ids come from: `ids`, `discover`, `export` (all of TMDB) or `changes` (since the
            last time).
        filters: What the source is to leave out, such as `{"min_popularity": "5"}` for `export`.
        stages: Only these of `ingest`, `transform`, `kpis` and `report`; all where none are given.
        refresh: Fetch every asked id again, the absent too, and rebuild the tables.
        max_requests: Stop fetching at a checkpoint after so many requests, and go on with what is there.
        max_minutes: Likewise after so many minutes.
        spark_master: The engine; `SPARK_MASTER` where none is given.
        lake_root: Folder or URL of the tables; `LAKE_ROOT` where none is given.
        output_dir: Folder of report and plots; `OUTPUT_DIR` where none is given.
        analytics_deployment: Deployment of `refresh-analytics` that does all but fetching, if there is
            anything to do; without one it is done here.
        accept_checks: Publish though these data quality checks fail.
        as_of_version: Only write report and plots of this version of `silver/movies`.
        imdb_ratings: Path or URL of IMDb's file of ratings, which silver then has, too; `IMDB_RATINGS` where
            none is given.
    """
    report = RunReport()
    async with run_settings(lake_root=lake_root, output_dir=output_dir) as settings:
        report.source = announce_data(settings)
    wanted = [Stage.REPORT] if as_of_version is not None else stages or list(Stage)
    analytics: list[AnalyticsStage] = [stage for stage in wanted if stage is not Stage.INGEST]
    if analytics and analytics_deployment:
        # Before hours of fetching.
        await require_deployment(analytics_deployment)
    if Stage.INGEST in wanted:
        with timed(report.seconds, Stage.INGEST):
            report.ingestion = await ingest_movies(
                movie_ids,
                movie_ids_file,
                source,
                filters,
                refresh,
                max_requests,
                max_minutes,
                lake_root,
                imdb_ratings,
            )
    if report.ingestion.outage:
        async with run_settings(lake_root=lake_root) as settings:
            # There is nothing to go on with where no movie was ever fetched.
            if current_version(RAW_MOVIES, settings.lake) is None:
                raise IncompleteIngestionError(report)
    if analytics and analytics_deployment:
        async with run_settings(
            lake_root=lake_root, output_dir=output_dir, imdb_ratings=imdb_ratings
        ) as settings:
            report.analytics = await delegate_analytics(
                analytics_deployment,
                settings,
                analytics,
                refresh,
                spark_master=spark_master,
                lake_root=lake_root,
                output_dir=output_dir,
                accept_checks=accept_checks,
                as_of_version=as_of_version,
                imdb_ratings=imdb_ratings,
            )
    elif analytics:
        report.analytics = await refresh_analytics(
            analytics,
            refresh,
            spark_master,
            lake_root,
            output_dir,
            accept_checks,
            as_of_version,
            imdb_ratings,
        )
    report.seconds |= report.analytics.seconds
    logger.info("%s. %s", report.sentence(), report.data)
    await show_run(report.rows(), report.analytics.versions, report.source)
    if not report.ingestion.is_complete:
        raise IncompleteIngestionError(report)
    return report
