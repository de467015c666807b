"""The stage that trains the revenue forecast on silver; it writes three tables and the model's file."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from movies.lake.arrow import arrow_schema
from movies.lake.commits import replace
from movies.lake.delta import LakeView, TableVersion, open_table, query, version_to_read
from movies.lake.forecast_tables import FORECAST as FORECAST_TABLES
from movies.lake.publications import Publication, publish
from movies.lake.tables import SILVER_MOVIES
from movies.report.record import made_files, replace_file, write_record
from stages.publishing import Order
from stages.stage import TableStage

if TYPE_CHECKING:
    import pandas as pd

    from movies.forecast.training import Training

logger = logging.getLogger(__name__)

# Its name in the publications; it is not a stage of `movies run`.
FORECAST = "forecast"
LIBRARIES = ("deltalake", "numpy", "pandas", "pyarrow", "scikit-learn", "skops")
# The model's file in an output folder.
MODEL = "forecast-model"
MODEL_FILE = "forecast/revenue_model.json"


@cache
def forecast_stage(output_dir: Path, holdout_years: int) -> TableStage:
    """Return the stage with its model in a folder, for a number of held-back years."""
    return TableStage(
        name=FORECAST,
        reads=(SILVER_MOVIES,),
        writes=FORECAST_TABLES,
        module=__name__,
        libraries=LIBRARIES,
        variant=f"{holdout_years}y",
        find_more=partial(_find_lost_model, output_dir=output_dir),
    )


def _find_lost_model(lake: LakeView, publication: Publication, output_dir: Path) -> list[str]:
    made_from = model_made_from(publication.inputs[SILVER_MOVIES.name], publication.code_version)
    return [] if made_files(output_dir, MODEL, made_from) else ["its model is missing or of another run"]


def model_made_from(content: TableVersion, code: str) -> dict[str, Any]:
    """Return what a model was trained on, from its file."""
    return {"silver_table": content.table_id, "silver_version": content.version, "code_version": code}


def learn(lake_root: str, content: TableVersion, holdout_years: int) -> tuple[Training, int]:
    """Train on a version of silver; also count its movies with a budget or a revenue."""
    from movies.forecast.training import train

    movies = load_silver(lake_root, content)
    return train(movies, holdout_years), len(movies)


def load_silver(lake_root: str, content: TableVersion) -> pd.DataFrame:
    """Read the movies of a version of silver with a known budget or revenue."""
    from movies.forecast.silver_movies import COLUMNS, load_movies

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
    """Write the model's file and the tables, and publish them last."""
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
