"""Run a part of the pipeline as another deployment, in its own container."""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from uuid import UUID

from prefect import get_client
from prefect.deployments import arun_deployment
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelling

from flows.request import AnalyticsRequest
from flows.run_report import AnalyticsReport, timed
from movies.lake.publications import read_publications
from stages.kpis_stage import KPIS_STAGE
from stages.names import StageName
from stages.report_stage import report_stages
from stages.stage import why_stale
from stages.transform_stage import transform_stage
from tasks.context import RunContext
from tasks.spark_tables import require_published

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5


class DelegatedRunError(Exception):
    """The other deployment's run did not complete, or there is no such deployment.

    A failed run was already tried again there if that could help; a crashed run was not.
    """

    def __init__(self, sentence: str, *, is_temporary: bool = False) -> None:
        super().__init__(sentence)
        self.is_temporary = is_temporary


async def delegate_analytics(deployment: str, run: RunContext, request: AnalyticsRequest) -> AnalyticsReport:
    """Run a deployment of `refresh-analytics` if the analytics are not up to date.

    Lake and output folder are checked first, so that no container is started needlessly. What the request
    does not set comes from the settings of that deployment.

    Raises:
        DelegatedRunError: the run failed, crashed or was cancelled.
    """
    report = AnalyticsReport()
    if request.refresh or request.as_of_version is not None or not describe_current(report, run):
        parameters = request.model_dump(mode="json", exclude_none=True)
        with timed(report.seconds, "analytics"):
            await run_elsewhere(deployment, parameters)
        report.engine_started = True
        run.lake.forget()
        report.describe_silver(require_published(run.lake, StageName.TRANSFORM))
        describe_current(report, run)
    else:
        logger.info("%s is not needed: nothing changed since it ran", deployment)
    return report


def describe_current(report: AnalyticsReport, run: RunContext) -> bool:
    """Fill in the report from the lake and the output folder; return whether all of it is current."""
    settings, lake = run.settings, run.lake
    if why_stale(transform_stage(settings.imdb_ratings is not None), lake) or why_stale(KPIS_STAGE, lake):
        return False
    publications = read_publications(lake)
    report.describe_silver(publications[StageName.TRANSFORM])
    report.describe_gold(publications[StageName.KPIS])
    parts = report_stages(settings.output_dir, settings.plot_theme).values()
    if any(why_stale(part, lake) for part in parts):
        return False
    report.files = [path for part in parts for path in part.find_files(lake)]
    return True


async def require_deployment(deployment: str) -> None:
    """Read a deployment from Prefect by its name `flow/deployment`.

    Raises:
        DelegatedRunError: there is no deployment of this name.
    """
    async with get_client() as client:
        try:
            await client.read_deployment_by_name(deployment)
        except (ObjectNotFound, ValueError) as error:
            raise DelegatedRunError(
                f"There is no deployment {deployment}. Deploy it first, or correct its name"
            ) from error


async def run_elsewhere(deployment: str, parameters: dict[str, Any]) -> None:
    """Run a deployment as a subflow and wait for it; cancel it if this run is cancelled.

    Raises:
        DelegatedRunError: the run did not complete, or the deployment has been deleted.
    """
    await require_deployment(deployment)
    run = await arun_deployment(deployment, parameters=parameters, timeout=0)
    logger.info("%s runs as %s", deployment, run.name)
    async with get_client() as client:
        try:
            while (state := (await client.read_flow_run(run.id)).state) is None or not state.is_final():
                await asyncio.sleep(POLL_SECONDS)
        except BaseException:
            await asyncio.shield(_cancel(run.id))
            raise
    if not state.is_completed():
        raise DelegatedRunError(
            f"{deployment} did not complete ({state.name}): {state.message}", is_temporary=state.is_crashed()
        )


async def _cancel(run_id: UUID) -> None:
    async with get_client() as client:
        await client.set_flow_run_state(run_id, Cancelling(message="The run that waited for it ended"))
