"""Names of flow runs that say what runs, from their parameters."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

from prefect import runtime

from flows.run_settings import load_run_settings
from movies.lake.cursor import read_cursor
from movies.report.formats import counted
from movies.settings import SettingsError
from movies.tmdb.redaction import escape_controls
from tasks.stages import Stage

logger = logging.getLogger(__name__)

LONGEST = 100
Parameters = Mapping[str, Any]


def named(describe: Callable[[Parameters], str]) -> Callable[[], str]:
    """Make the function that Prefect asks for a run's name; a run that cannot be described keeps its own."""

    @wraps(describe)
    def name() -> str:
        try:
            return escape_controls(describe(runtime.flow_run.parameters))[:LONGEST]
        except SettingsError:  # which the run is about to end with
            return str(runtime.flow_run.name)
        except Exception as error:
            logger.warning("No name could be made for this run: %s: %s", type(error).__name__, error)
            return str(runtime.flow_run.name)

    return name


@named
def name_pipeline(given: Parameters) -> str:
    """Return `19 ids`, `report`, or `19 ids: ingest, transform`."""
    stages = given["stages"] or list(Stage)
    if given["as_of_version"] is not None or Stage.INGEST not in stages:
        return _name_analytics(given)
    name = _name_ingestion(given)
    return name if {*stages} == {*Stage} else f"{name}: {', '.join(stages)}"


@named
def name_ingestion(given: Parameters) -> str:
    """Return `19 ids`, `export, popularity ≥ 5`, or `changes since 2026-11-29`."""
    return _name_ingestion(given)


@named
def name_analytics(given: Parameters) -> str:
    """Return `transform, kpis, report`, `report`, or `as of version 7`."""
    return _name_analytics(given)


@named
def name_forecast(given: Parameters) -> str:
    """Return `3 years held back`, and of how many movies a forecast is asked for."""
    name = f"{counted(given['holdout_years'], 'year')} held back"
    movies = given["movie_ids"]
    return f"{counted(len(movies), 'movie')}, {name}" if movies else name


@named
def name_upkeep(given: Parameters) -> str:
    """Return `old files kept 7 days, movies fetched again after 180`."""
    name = f"old files kept {given['retention_days']:g} days"
    age = given["max_age_days"]
    return name if age is None else f"{name}, movies fetched again after {age:g}"


def _name_analytics(given: Parameters) -> str:
    if (version := given["as_of_version"]) is not None:
        return f"as of version {version}"
    stages = [stage for stage in given["stages"] or Stage if stage != Stage.INGEST]
    return ", ".join(stages) + (", rebuilt" if given["refresh"] else "")


def _name_ingestion(given: Parameters) -> str:
    source, filters = given["source"], dict(given["filters"] or {})
    if source == "ids":
        name = _name_ids(given)
    elif source == "changes":
        since = filters.pop("since", None) or _followed(given)
        name = "changes" if since is None else f"changes since {since}"
    else:
        name = str(source)
    if (popularity := filters.pop("min_popularity", None)) is not None:
        name += f", popularity ≥ {popularity}"
    name += "".join(f", {key}={value}" for key, value in filters.items())
    return name + (", all again" if given["refresh"] else "")


def _name_ids(given: Parameters) -> str:
    if given["movie_ids_file"] is not None:
        return f"ids of {Path(given['movie_ids_file']).name}"
    ids = given["movie_ids"] or load_run_settings().ingestion_movie_ids
    return counted(len({*ids}), "id")


def _followed(given: Parameters) -> str | None:
    """The day until which the lake has all changes."""
    followed = read_cursor(load_run_settings(lake_root=given["lake_root"]).lake).followed
    return None if followed is None else f"{followed:%Y-%m-%d}"
