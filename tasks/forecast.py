"""The training task: from published silver to a model, its scores and its forecasts.

Cached as the Spark stages are: a hit counts only while the lake's publication names this silver and this
code, and every table and the model's file are as they were left.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefect import runtime, task

from movies.forecast.errors import ShortageError, SuspectedLeakError
from movies.lake.arrow import arrow_schema
from movies.lake.commits import replace
from movies.lake.delta import TableVersion, open_table, query, version_to_read
from movies.lake.forecast_tables import FORECAST as FORECAST_TABLES
from movies.lake.publications import Publication, current, find_current, last, publish
from movies.lake.tables import SILVER_MOVIES
from movies.report.files import replace_file
from movies.report.forecast import ForecastTables, markdown_forecast
from movies.report.provenance import Provenance
from movies.report.record import made_files, write_record
from tasks.caching import CACHE
from tasks.code import code_version
from tasks.forecast_showing import show_words
from tasks.outputs import source_name
from tasks.publishing import Order

if TYPE_CHECKING:
    import pandas as pd

    from movies.forecast.training import Training

logger = logging.getLogger(__name__)

# Its name among the publications; it is no step of `movies run`.
FORECAST = "forecast"
CODE = ("movies/lake", "movies/forecast", "tasks/forecast.py")
LIBRARIES = ("deltalake", "numpy", "pandas", "pyarrow", "scikit-learn")
# The model among an output folder's files.
MODEL = "forecast-model"
MODEL_FILE = "forecast/revenue_model.json"


async def bring_up_to_date(
    lake_root: str, output_dir: Path, silver: Publication, holdout_years: int, accept_score: bool
) -> tuple[Publication, bool]:
    """Have model, scores and forecasts of the published silver; tell whether they were there already.

    Raises:
        ShortageError: it has too few movies to learn from.
        SuspectedLeakError: the scores are too good, and were not accepted.
    """
    content = silver.outputs[SILVER_MOVIES.name]
    code = forecast_code(holdout_years)
    stands = find_standing(lake_root, output_dir, content, code) is not None
    trained = await train_forecast.with_options(refresh_cache=not stands)(
        lake_root, str(output_dir), content.table_id, content.version, holdout_years, accept_score, code
    )
    if (shortage := trained.get("shortage")) is not None:
        raise ShortageError(**shortage)
    made = current(lake_root, FORECAST)
    assert made is not None, "the forecast has just been published"
    return made, stands


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
    """Learn from the years before, score on those held back, and publish model and tables.

    Too few movies are no failure of this task: its result says how many there are.
    """
    folder, content = Path(output_dir), TableVersion(silver_id, silver_version)
    # Prefect may have lost its cached result while the lake and the folder have what it was about.
    publication = find_standing(lake_root, folder, content, code)
    if publication is None:
        try:
            training, movies = await asyncio.to_thread(learn, lake_root, content, holdout_years)
        except ShortageError as error:
            return {"shortage": {"sentence": str(error), "headline": error.headline}}
        if training.warning is not None:
            source = source_name(lake_root)
            provenance = Provenance(movies, silver_version=silver_version, source=source)
            await refuse_leak(training, provenance, accept_score)
        order = Order(
            lake_root,
            {SILVER_MOVIES.name: content},
            {},
            code,
            str(runtime.flow_run.id or ""),
            last(lake_root, FORECAST),
        )
        publication = await asyncio.to_thread(
            publish_forecast, order, folder, training, movies, holdout_years
        )
    return {"versions": publication.versions, **publication.facts}


async def refuse_leak(training: Training, provenance: Provenance, accept_score: bool) -> None:
    """Say that the scores are not to be believed, and stop unless somebody does believe them.

    Raises:
        SuspectedLeakError: nobody does; no table and no file has been touched.
    """
    logger.warning("%s", training.warning)
    if accept_score:
        return
    found = ForecastTables(training.scores, training.predictions, training.drivers)
    await show_words(markdown_forecast(found, provenance))
    raise SuspectedLeakError(
        f"{training.warning}, most likely into {found.drivers[0]['driver']}. Nothing is published; where it "
        "is no leak, --accept-score publishes all the same"
    )


def forecast_code(holdout_years: int) -> str:
    """The version of the code that decides a forecast, with the one choice that does, too."""
    return f"{code_version(CODE, LIBRARIES)}-{holdout_years}y"


def model_made_from(content: TableVersion, code: str) -> dict[str, Any]:
    """What a model was made from, as its file has it."""
    return {"silver_table": content.table_id, "silver_version": content.version, "code_version": code}


def find_standing(lake_root: str, output_dir: Path, content: TableVersion, code: str) -> Publication | None:
    """The published forecast of a silver by some code, where tables and model are as they were left."""
    found = find_current(lake_root, FORECAST, {SILVER_MOVIES.name: content}, code)
    return found if made_files(output_dir, MODEL, model_made_from(content, code)) else None


def learn(lake_root: str, content: TableVersion, holdout_years: int) -> tuple[Training, int]:
    """Train on a version of silver; also tell how many of its movies have a budget or a revenue."""
    from movies.forecast.training import train

    movies = load_silver(lake_root, content)
    return train(movies, holdout_years), len(movies)


def load_silver(lake_root: str, content: TableVersion) -> pd.DataFrame:
    """The movies of a version of silver of which budget or revenue is known."""
    from movies.forecast.movies import COLUMNS, load_movies

    found = open_table(SILVER_MOVIES, lake_root)
    assert found is not None, "silver is published"
    found = open_table(SILVER_MOVIES, lake_root, version_to_read(found, content))
    assert found is not None, "silver is published"
    columns = ", ".join(f'"{name}"' for name in COLUMNS)
    sql = f"SELECT {columns} FROM t WHERE budget_musd IS NOT NULL OR revenue_musd IS NOT NULL"
    return load_movies(query(found, sql))


def publish_forecast(
    order: Order, folder: Path, training: Training, movies: int, holdout_years: int
) -> Publication:
    """Leave the model's file and the tables, and publish them last."""
    import pyarrow as pa

    from movies.forecast.model import dump_model

    made_from = model_made_from(order.inputs[SILVER_MOVIES.name], order.code)
    path = replace_file(folder / MODEL_FILE, dump_model(training.model, made_from))
    write_record(folder, MODEL, made_from, [path])
    rows = (training.scores, training.predictions, training.drivers)
    origin = order.origin(holdout_years=holdout_years)
    outputs = {
        table.name: replace(
            table, order.lake_root, pa.Table.from_pylist(found, schema=arrow_schema(table)), origin
        )
        for table, found in zip(FORECAST_TABLES, rows, strict=True)
    }
    publication = Publication(
        FORECAST, order.inputs, outputs, order.code, _facts(training, movies), order.run_id
    )
    publish(order.lake_root, publication)
    logger.info("forecast from %s: %s", made_from, publication.facts)
    return publication


def _facts(training: Training, movies: int) -> Mapping[str, Any]:
    overall = training.scores[0]
    told = ("movies_learnt_from", "log_r2", "coverage", "warning")
    return {"movies": movies, "forecasts": len(training.predictions)} | {name: overall[name] for name in told}
