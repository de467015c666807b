"""What the parameters of a run may be, whichever way they come: command line, Python, form or API."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from math import isfinite
from typing import Annotated, Any, Literal

from pydantic import Field

from movies.settings import (
    LARGEST_MOVIE_ID,
    SettingsError,
    is_signed,
    master_secrets,
    parse_folder,
    parse_lake,
    parse_path,
)
from movies.tmdb.sources import SOURCES, build_source
from tasks.stages import Stage

# The forms of Prefect's UI check these by themselves.
MovieId = Annotated[int, Field(ge=0, le=LARGEST_MOVIE_ID)]
SourceName = Annotated[str, Field(json_schema_extra={"enum": list(SOURCES)})]
AnalyticsStage = Literal[Stage.TRANSFORM, Stage.KPIS, Stage.REPORT]
MaxRequests = Annotated[int, Field(ge=1)] | None
SilverVersion = Annotated[int, Field(ge=0)] | None
MaxMinutes = Annotated[float, Field(gt=0, allow_inf_nan=False)] | None

IDS = "ids"
FETCHING = ("movie_ids", "movie_ids_file", "source", "filters", "max_requests", "max_minutes")
# A report of an older version is made from tables as they were: nothing of these could change it.
NOT_AS_OF = (*FETCHING, "refresh", "accept_checks")
# The stages that read a parameter; a run without any of them would ignore it. `analytics_deployment` is not
# among them: its deployment gives it to every run.
STAGES_OF: Mapping[str, tuple[Stage, ...]] = {
    **dict.fromkeys(FETCHING, (Stage.INGEST,)),
    "spark_master": (Stage.TRANSFORM, Stage.KPIS),
    "accept_checks": (Stage.KPIS,),
}
PLACES: Mapping[str, Callable[[str], object]] = {
    "lake_root": parse_lake,
    "output_dir": parse_folder,
    "movie_ids_file": parse_path,
}


class ParameterError(SettingsError):
    """A run's parameters cannot be meant; the text says which, and what would do (exit status 2)."""


def check_parameters(given: Mapping[str, Any]) -> None:
    """Refuse parameters that no run can follow, before anything happens; a flow need not have all of them.

    Raises:
        ParameterError: one excludes another, or cannot be used.
        UnknownCheckError: a check is accepted that does not exist.
        EngineUnavailable: the master names no engine.
        FolderNameError: no table can be kept in the folder.
    """
    for name, parse in PLACES.items():
        if given.get(name) is not None:
            try:
                parse(str(given[name]))
            except ValueError as error:
                raise ParameterError(f"{name.upper()}: {error}") from error
    if given.get("lake_root") is not None:
        from movies.lake.table import check_folder

        check_folder(parse_lake(given["lake_root"]))
    _check_source(given)
    _check_stages(given)
    if (minutes := given.get("max_minutes")) is not None and not (isfinite(minutes) and minutes > 0):
        raise ParameterError("The minutes of a run have to be above 0. Leave them out for no limit")
    _check_engine(given.get("spark_master"))
    if is_signed(given.get("imdb_ratings")):
        raise ParameterError("Set an address with a query as IMDB_RATINGS: as an option it would be seen")
    if accepted := given.get("accept_checks"):
        from spark.checks.registry import require_known

        require_known(accepted)


def check_names(flow: str, given: Collection[str], known: Collection[str]) -> None:
    """Refuse parameters that a flow does not have.

    Raises:
        ParameterError: there is one.
    """
    if unknown := sorted(set(given) - set(known)):
        raise ParameterError(f"{flow} has no parameter {', '.join(unknown)}; it has {', '.join(known)}")


def _check_source(given: Mapping[str, Any]) -> None:
    source = given.get("source") or IDS
    ids = _said(given, ("movie_ids", "movie_ids_file"))
    if len(ids) > 1:
        raise ParameterError("Give movie ids or a file of them, not both")
    if ids and source != IDS:
        raise ParameterError(
            f"Movie ids are for the source ids, not for {source}. Leave out the ids or the source"
        )
    try:
        build_source(source, given.get("filters") or {})
    except ValueError as error:
        raise ParameterError(str(error)) from None


def _check_stages(given: Mapping[str, Any]) -> None:
    stages = given.get("stages") or ()
    if given.get("as_of_version") is not None:
        if set(stages) - {Stage.REPORT}:
            raise ParameterError("A report as of a version has only the stage report. Leave out other stages")
        if said := _said(given, NOT_AS_OF):
            raise ParameterError(f"A report as of a version fetches and changes nothing: leave out {said[0]}")
    elif stages:
        for name in _said(given, STAGES_OF):
            if not {*stages} & {*(needed := STAGES_OF[name])}:
                raise ParameterError(
                    f"{name} is for the stage {' or '.join(needed)}, which this run leaves out"
                )


def _check_engine(master: str | None) -> None:
    if master is None:
        return
    if master_secrets(master):
        raise ParameterError("Set a master with a token as SPARK_MASTER: as an option it would be seen")
    from spark.engines.session import check_engine_settings

    check_engine_settings(master)


def _said(given: Mapping[str, Any], names: Collection[str]) -> list[str]:
    """Those of the names that say something: a form may send empty ones along."""
    return [name for name in names if given.get(name) and (name, given[name]) != ("source", IDS)]
