"""The flow that forecasts revenues from published silver, and says how well."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

from pydantic import Field

from flows.checked import flow
from flows.forecast_report import ForecastReport
from flows.parameters import MovieId
from flows.planning import announce_data
from flows.run_names import name_forecast
from flows.run_settings import run_settings
from flows.states import concluded
from movies.forecast.errors import ShortageError
from movies.lake.tables import SILVER_MOVIES
from movies.report.provenance import describe_data
from tasks.analytics import published
from tasks.forecast import MODEL_FILE, bring_up_to_date, model_made_from
from tasks.forecast_movies import forecast_movies
from tasks.forecast_showing import show_forecast
from tasks.stages import Stage

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 2 * 3600


@flow(
    name="forecast-revenue",
    flow_run_name=name_forecast,
    validate_parameters=True,
    timeout_seconds=LONGEST_SECONDS,
)
@concluded(ForecastReport.headline)
async def forecast_revenue(
    movie_ids: list[MovieId] | None = None,
    holdout_years: Annotated[int, Field(ge=1, le=50)] = 3,
    accept_score: bool = False,
    lake_root: str | None = None,
    output_dir: Path | None = None,
) -> ForecastReport:
    """Learn what movies earn from what is known before their release, and judge it on the last years.

    What is so already for this silver and this code is not done again. A lake with too few movies has no
    forecast yet; the run says how many it has and is Completed.

    Args:
        movie_ids: Movies of silver to forecast, released in the held-back years or later.
        holdout_years: How many release years are held back to judge the model on.
        accept_score: Publish though the scores are so good that a leak is likely.
        lake_root: Folder or URL of the tables; `LAKE_ROOT` where none is given.
        output_dir: Folder of the model, the words and the plots; `OUTPUT_DIR` where none is given.
    """
    async with run_settings(lake_root=lake_root, output_dir=output_dir) as settings:
        source = announce_data(settings)
        lake, folder = settings.lake, settings.output_dir
        silver = published(lake, Stage.TRANSFORM)
        try:
            made, stood = await bring_up_to_date(lake, folder, silver, holdout_years, accept_score)
        except ShortageError as shortage:
            # A young lake grows: a schedule has done its work, and the command line says what is missing.
            logger.warning("%s", shortage)
            return ForecastReport([], shortage=str(shortage), shortage_headline=shortage.headline)
        tables, files = await show_forecast(lake, folder, settings.plot_theme, silver, made)
        model = folder / MODEL_FILE
        report = ForecastReport(tables.scores, is_unchanged=stood, files=[str(model), *files])
        if movie_ids:
            made_from = model_made_from(made.inputs[SILVER_MOVIES.name], made.code_version)
            report.forecasts = await forecast_movies(lake, str(model), made_from, movie_ids)
        logger.info("%s. %s", report.sentence(), describe_data(source))
    return report
