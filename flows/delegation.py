"""Having another deployment do a part of the pipeline, in a container made for it."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import get_client
from prefect.deployments import arun_deployment
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelling

from flows.request import AnalyticsRequest
from flows.run_report import AnalyticsReport, timed
from movies.settings import Settings
from stages.names import StageName
from tasks.analytics import published, standing
from tasks.outputs import outputs

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5


class DelegatedRunError(Exception):
    """The other deployment's run did not complete, or there is no such deployment.

    What failed there was tried again there, if that could help; a crash was not.
    """

    def __init__(self, sentence: str, *, is_temporary: bool = False) -> None:
        super().__init__(sentence)
        self.is_temporary = is_temporary


async def delegate_analytics(
    deployment: str, settings: Settings, request: AnalyticsRequest
) -> AnalyticsReport:
    """Have a deployment of `refresh-analytics` bring the analytics up to date, if they are not.

    Whether they are is read from the lake and the output folder, so that no container is started for nothing.
    What the request does not say is left to the settings of that deployment.

    Raises:
        DelegatedRunError: the run failed, crashed or was cancelled.
    """
    report = AnalyticsReport()
    if request.refresh or request.as_of_version is not None or describe_standing(report, settings) is None:
        parameters = request.model_dump(mode="json", exclude_none=True)
        with timed(report.seconds, "analytics"):
            await run_elsewhere(deployment, parameters)
        report.engine_started = True
        report.describe_silver(published(settings.lake, StageName.TRANSFORM))
        describe_standing(report, settings)
    else:
        logger.info("%s is not needed: nothing changed since it ran", deployment)
    return report


def describe_standing(report: AnalyticsReport, settings: Settings) -> AnalyticsReport | None:
    """Fill the report from what stands in the lake; None where tables or files would have to be made anew."""
    if (found := standing(settings.lake, with_ratings=settings.imdb_ratings is not None)) is None:
        return None
    silver, gold = found
    report.describe_silver(silver)
    report.describe_gold(gold)
    files = outputs(settings.lake, Path(settings.output_dir), settings.plot_theme, silver, gold)
    if not all(files.values()):
        return None
    report.files = [path for part in files.values() for path in part]
    return report


async def require_deployment(deployment: str) -> None:
    """Ask Prefect for a deployment, by `flow/deployment`.

    Raises:
        DelegatedRunError: there is none of this name.
    """
    async with get_client() as client:
        try:
            await client.read_deployment_by_name(deployment)
        except (ObjectNotFound, ValueError) as error:
            raise DelegatedRunError(
                f"There is no deployment {deployment}. Deploy it first, or correct its name"
            ) from error


async def run_elsewhere(deployment: str, parameters: dict[str, Any]) -> None:
    """Run a deployment as a subflow and wait for it; it is cancelled where this run is.

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
