"""The task that forecasts single movies by the saved model."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from prefect import task
from prefect.artifacts import acreate_table_artifact
from prefect.cache_policies import NO_CACHE

from movies.lake.delta import TableVersion
from movies.report.formats import movie_name
from movies.report.provenance import describe_data
from movies.report.record import MadeFrom
from stages.forecast_stage import load_silver
from stages.report_stage import source_name
from tasks.optional import optional


@task(name="forecast-movies", task_run_name="forecast-movies", cache_policy=NO_CACHE, persist_result=False)
async def forecast_movies(
    lake_root: str, model_path: str, made_from: MadeFrom, movie_ids: list[int]
) -> list[dict[str, Any]]:
    """Forecast movies of silver by the saved model, and show the forecasts in Prefect's UI.

    Raises:
        ModelFileError: the saved model is not the published one.
        NoForecastError: one of the movies cannot be forecast.
    """
    rows = await asyncio.to_thread(_forecast, lake_root, Path(model_path), made_from, movie_ids)
    await show_forecasts(lake_root, rows)
    return rows


@optional
async def show_forecasts(lake_root: str, rows: list[dict[str, Any]]) -> None:
    """Show the forecasts in Prefect's UI."""
    await acreate_table_artifact(
        [
            {name: f"{cell:,.1f}" if isinstance(cell, float) else cell for name, cell in row.items()}
            for row in rows
        ],
        key="forecast-movies",
        description=f"Revenue forecasts in millions of dollars. {describe_data(source_name(lake_root))}.",
    )


def _forecast(
    lake_root: str, model_path: Path, made_from: MadeFrom, movie_ids: list[int]
) -> list[dict[str, Any]]:
    from movies.forecast.features import build_features
    from movies.forecast.model import load_model

    model = load_model(model_path, made_from)
    movies = load_silver(lake_root, TableVersion(made_from["silver_table"], made_from["silver_version"]))
    features = build_features(movies)
    rows = []
    for movie_id in dict.fromkeys(movie_ids):
        found = model.forecast_movie(movies, features, movie_id)
        movie = movies[movies["id"] == movie_id].to_dict("records")[0]
        earned = movie["revenue_musd"]
        rows.append(
            {
                "movie": movie_name(movie["title"], movie["release_date"].year),
                "budget_musd": movie["budget_musd"],
                "predicted_musd": float(10 ** found.predicted[0]),
                "low_musd": float(10 ** found.low[0]),
                "high_musd": float(10 ** found.high[0]),
                "revenue_musd": earned if earned == earned else None,
            }
        )
    return rows
