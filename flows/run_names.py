"""Names of flow runs that say what runs, from their requests."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from prefect import runtime

from flows.parameters import Request
from flows.request import AnalyticsRequest, ForecastRequest, IngestRequest, MaintainRequest, RunRequest
from flows.run_settings import load_run_settings
from movies.lake.cursor import read_cursor
from movies.report.formats import counted
from movies.settings import Settings, SettingsError
from movies.tmdb.redaction import escape_controls
from stages.names import StageName
from tasks.context import find_run

logger = logging.getLogger(__name__)

Q = TypeVar("Q", bound=Request)

LONGEST = 100


def named(model: type[Q]) -> Callable[[Callable[[Q], str]], Callable[[], str]]:
    """Make the function that Prefect calls for a run's name; if that fails, the run keeps its name."""

    def decorate(describe: Callable[[Q], str]) -> Callable[[], str]:
        @wraps(describe)
        def name() -> str:
            try:
                request = model.model_validate(runtime.flow_run.parameters)
                return escape_controls(describe(request))[:LONGEST]
            except SettingsError:  # the run will fail with the same error
                return str(runtime.flow_run.name)
            except Exception as error:
                logger.warning("No name could be made for this run: %s: %s", type(error).__name__, error)
                return str(runtime.flow_run.name)

        return name

    return decorate


@named(RunRequest)
def name_pipeline(request: RunRequest) -> str:
    """Return `19 ids`, `report`, or `19 ids: ingest, transform`."""
    wanted = request.wanted
    if StageName.INGEST not in wanted:
        return _name_analytics(request)
    name = _name_ingestion(request)
    return name if {*wanted} == {*StageName} else f"{name}: {', '.join(wanted)}"


@named(IngestRequest)
def name_ingestion(request: IngestRequest) -> str:
    """Return `19 ids`, `export, popularity ≥ 5`, or `changes since 2026-11-29`."""
    return _name_ingestion(request)


@named(AnalyticsRequest)
def name_analytics(request: AnalyticsRequest) -> str:
    """Return `transform, kpis, report`, `report`, or `as of version 7`."""
    return _name_analytics(request)


@named(ForecastRequest)
def name_forecast(request: ForecastRequest) -> str:
    """Return `3 years held back`, with the number of movies to forecast."""
    name = f"{counted(request.holdout_years, 'year')} held back"
    return f"{counted(len(request.movie_ids), 'movie')}, {name}" if request.movie_ids else name


@named(MaintainRequest)
def name_upkeep(request: MaintainRequest) -> str:
    """Return `old files kept 7 days, movies fetched again after 180`."""
    name = f"old files kept {request.retention_days:g} days"
    age = request.max_age_days
    return name if age is None else f"{name}, movies fetched again after {age:g}"


def _name_analytics(request: AnalyticsRequest) -> str:
    if request.as_of_version is not None:
        return f"as of version {request.as_of_version}"
    stages = [stage for stage in request.wanted if stage is not StageName.INGEST]
    return ", ".join(stages) + (", rebuilt" if request.refresh else "")


def _name_ingestion(request: IngestRequest) -> str:
    filters = dict(request.filters or {})
    if request.source == "ids":
        name = _name_ids(request)
    elif request.source == "changes":
        since = filters.pop("since", None) or _followed(request)
        name = "changes" if since is None else f"changes since {since}"
    else:
        name = request.source
    if (popularity := filters.pop("min_popularity", None)) is not None:
        name += f", popularity ≥ {popularity}"
    name += "".join(f", {key}={value}" for key, value in filters.items())
    return name + (", all again" if request.refresh else "")


def _name_ids(request: IngestRequest) -> str:
    if request.movie_ids_file is not None:
        return f"ids of {request.movie_ids_file.name}"
    return counted(len({*(request.movie_ids or _settings(request).ingestion_movie_ids)}), "id")


def _followed(request: IngestRequest) -> str | None:
    """Return the day of the change cursor."""
    followed = read_cursor(_settings(request).lake).followed
    return None if followed is None else f"{followed:%Y-%m-%d}"


def _settings(request: Request) -> Settings:
    run = find_run()
    return load_run_settings(request) if run is None else run.settings
