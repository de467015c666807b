"""The training task: from published silver to a model, its scores and forecasts, if they are stale."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefect import runtime, task

from movies.forecast.forecast_errors import ShortageError, SuspectedLeakError
from movies.lake.delta import TableVersion
from movies.lake.publications import Publication, find_publication, read_publications
from movies.lake.tables import SILVER_MOVIES
from movies.report.forecast_text import ForecastTables, markdown_forecast
from movies.report.provenance import Provenance
from stages.forecast_stage import FORECAST, forecast_stage, learn, publish_forecast
from stages.publishing import Order
from stages.report_stage import source_name
from stages.stage import facts_of, why_stale
from tasks.caching import CACHE
from tasks.context import current_run
from tasks.forecast_showing import show_words

if TYPE_CHECKING:
    from movies.forecast.training import Training

logger = logging.getLogger(__name__)


async def bring_up_to_date(
    output_dir: Path, holdout_years: int, accept_score: bool
) -> tuple[Publication, bool]:
    """Bring model, scores and forecasts up to date with silver; return whether they already were.

    Raises:
        ShortageError: silver has too few movies to train on.
        SuspectedLeakError: the scores are too good, and were not accepted.
    """
    lake, stage = current_run().lake, forecast_stage(output_dir, holdout_years)
    content = stage.find_inputs(lake)[SILVER_MOVIES.name]
    is_stale = bool(why_stale(stage, lake))
    trained = await train_forecast.with_options(refresh_cache=is_stale)(
        lake.root,
        str(output_dir),
        content.table_id,
        content.version,
        holdout_years,
        accept_score,
        stage.code,
    )
    if (shortage := trained.get("shortage")) is not None:
        raise ShortageError(**shortage)
    return read_publications(lake)[FORECAST], not is_stale


@task(name="train-forecast", task_run_name="train-forecast", cache_policy=CACHE, result_serializer="json")
async def train_forecast(
    lake_root: str,
    output_dir: str,
    silver_id: str,
    silver_version: int,
    holdout_years: int,
    accept_score: bool,
    code: str,
) -> dict[str, Any]:
    """Train on the earlier years, evaluate on the held-back ones, and publish model and tables.

    Too few movies are no failure of this task: its result says how many there are.
    """
    folder, content = Path(output_dir), TableVersion(silver_id, silver_version)
    lake, stage = current_run().lake, forecast_stage(folder, holdout_years)
    # Prefect may have lost its cached result of a stage that is current.
    if not why_stale(stage, lake):
        return facts_of(read_publications(lake)[FORECAST])
    try:
        training, movies = await asyncio.to_thread(learn, lake_root, content, holdout_years)
    except ShortageError as error:
        return {"shortage": {"sentence": str(error), "headline": error.headline}}
    if training.warning is not None:
        provenance = Provenance(movies, silver_version=silver_version, source=source_name(lake))
        await refuse_leak(training, provenance, accept_score)
    run_id = str(runtime.flow_run.id or "")
    previous = find_publication(lake, FORECAST)
    order = Order(lake_root, {SILVER_MOVIES.name: content}, {}, code, run_id, previous)
    made = await asyncio.to_thread(publish_forecast, order, folder, training, movies, holdout_years)
    lake.forget()
    return facts_of(made)


async def refuse_leak(training: Training, provenance: Provenance, accept_score: bool) -> None:
    """Warn about scores that are too good, and stop unless they are accepted.

    Raises:
        SuspectedLeakError: they are not accepted; no table and no file has been changed.
    """
    logger.warning("%s", training.warning)
    if accept_score:
        return
    found = ForecastTables(training.scores, training.predictions, training.drivers)
    await show_words(markdown_forecast(found, provenance))
    raise SuspectedLeakError(
        f"{training.warning}, most likely into {found.drivers[0]['driver']}. Nothing is published. If it "
        "is not a leak, add --accept-score to publish"
    )
