"""The flow `forecast-revenue`, which forecasts revenues from published silver and evaluates them."""

from __future__ import annotations

import logging

from flows.checked import flow
from flows.forecast_report import ForecastReport
from flows.planning import announce_data
from flows.request import ForecastRequest
from flows.run_names import name_forecast
from flows.run_settings import run_of
from movies.forecast.forecast_errors import ShortageError
from movies.lake.tables import SILVER_MOVIES
from movies.report.provenance import describe_data
from stages.forecast_stage import MODEL_FILE, model_made_from
from stages.names import StageName
from tasks.forecast_movies import forecast_movies
from tasks.forecast_showing import show_forecast
from tasks.forecast_training import bring_up_to_date
from tasks.spark_tables import require_published

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 2 * 3600


@flow(
    ForecastRequest,
    ForecastReport.headline,
    name="forecast-revenue",
    flow_run_name=name_forecast,
    timeout_seconds=LONGEST_SECONDS,
)
async def forecast_revenue(request: ForecastRequest) -> ForecastReport:
    """Forecast revenues from what is known before release, and evaluate the forecast on the last years.

    A forecast that is current for this silver and this code is not repeated. If the lake has too few movies,
    the run says how many it has and is Completed.
    """
    async with run_of(request) as run:
        settings, source = run.settings, announce_data(run)
        lake, folder = settings.lake, settings.output_dir
        silver = require_published(run.lake, StageName.TRANSFORM)
        try:
            made, stood = await bring_up_to_date(folder, request.holdout_years, request.accept_score)
        except ShortageError as shortage:
            # Not a failure in a schedule, because the lake grows; the command line fails with this text.
            logger.warning("%s", shortage)
            return ForecastReport([], shortage=str(shortage), shortage_headline=shortage.headline)
        tables, files = await show_forecast(lake, folder, settings.plot_theme, silver, made)
        model = folder / MODEL_FILE
        report = ForecastReport(tables.scores, is_unchanged=stood, files=[str(model), *files])
        if request.movie_ids:
            made_from = model_made_from(made.inputs[SILVER_MOVIES.name], made.code_version)
            report.forecasts = await forecast_movies(lake, str(model), made_from, request.movie_ids)
        logger.info("%s. %s", report.sentence(), describe_data(source))
    return report
