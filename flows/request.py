"""The requests: the parameters of each flow, declared once.

Each field has its type, its bounds and one help text. The options of the command line (`cli.options`), the
parameters of the flows and the texts of their forms (`flows.checked`), and what a subflow or another
deployment gets are derived from these models.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import Field

from flows.parameters import Option, Overrides, ParameterError, Request
from movies.settings import (
    KEPT_RUNS_DAYS,
    LARGEST_MOVIE_ID,
    LONGEST_AGE_DAYS,
    Settings,
    master_secrets,
    parse_movie_ids,
)
from movies.tmdb.sources import IDS, SOURCES, Ids, Source, build_source
from stages.names import StageName

R = TypeVar("R", bound=Request)

AnalyticsStage = Literal[StageName.TRANSFORM, StageName.KPIS, StageName.REPORT]
# The forms of Prefect's UI check these bounds by themselves.
MovieId = Annotated[int, Field(ge=0, le=LARGEST_MOVIE_ID)]
LARGEST_VERSION = 2**63 - 1

FETCHING = ("movie_ids", "movie_ids_file", "source", "filters", "max_requests", "max_minutes")
# None of these can change a report of an older version.
NOT_AS_OF = (*FETCHING, "refresh", "accept_checks")
# The stages that read a parameter; a run without any of them would ignore it. `analytics_deployment` is not
# among them: its deployment gives it to every run.
STAGES_OF: Mapping[str, tuple[StageName, ...]] = {
    **dict.fromkeys(FETCHING, (StageName.INGEST,)),
    "spark_master": (StageName.TRANSFORM, StageName.KPIS),
    "accept_checks": (StageName.KPIS,),
}
LakeRoot = Annotated[
    str | None,
    Overrides("lake_root"),
    Option(metavar="DIR"),
    Field(description="Folder or object-store URL of the Delta tables. Default: LAKE_ROOT."),
]
OutputDir = Annotated[
    Path | None,
    Overrides("output_dir"),
    Option(metavar="DIR"),
    Field(description="Folder of the report, the plots and the logs. Default: OUTPUT_DIR."),
]
Refresh = Annotated[
    bool,
    Field(
        description="Fetch all requested ids again, including those TMDB did not have, and rebuild the "
        "tables."
    ),
]
ImdbRatings = Annotated[
    str | None,
    Overrides("imdb_ratings"),
    Option(metavar="FILE"),
    Field(
        description="Path or URL of IMDb's title.ratings.tsv.gz, whose ratings are added to silver. Default: "
        "IMDB_RATINGS."
    ),
]


class IngestRequest(Request):
    """The parameters of `ingest-movies`."""

    movie_ids: Annotated[
        list[MovieId] | None,
        Option(metavar="1,2,3", parse=parse_movie_ids),
        Field(description="TMDB ids to fetch. Default: INGESTION_MOVIE_IDS, or 19 well-known movies."),
    ] = None
    movie_ids_file: Annotated[
        Path | None,
        Option(metavar="FILE"),
        Field(
            description="File of TMDB ids to fetch, separated by commas, blanks or line breaks; for more "
            "than a few thousand."
        ),
    ] = None
    source: Annotated[
        str,
        Field(
            json_schema_extra={"enum": list(SOURCES)},
            description="Where the ids come from: "
            + ", ".join(f"{name} ({source.meaning})" for name, source in SOURCES.items())
            + ".",
        ),
    ] = IDS
    filters: Annotated[
        dict[str, str] | None,
        Option("--filter", metavar="NAME=VALUE"),
        Field(
            description="Filters of the source: the parameters of TMDB's discover, min_popularity for "
            "export, since for changes."
        ),
    ] = None
    refresh: Refresh = False
    max_requests: Annotated[
        Annotated[int, Field(ge=1)] | None,
        Field(description="Stop fetching at a checkpoint after N requests, and continue with what is there."),
    ] = None
    max_minutes: Annotated[
        Annotated[float, Field(gt=0, allow_inf_nan=False)] | None,
        Field(description="Stop fetching at a checkpoint after N minutes, and continue with what is there."),
    ] = None
    lake_root: LakeRoot = None
    imdb_ratings: ImdbRatings = None

    def check(self) -> None:
        """Reject a source whose ids or filters are not valid."""
        super().check()
        _check_source(self)

    def build_source(self, settings: Settings) -> Source:
        """Build the source of ids; the source `ids` has those of the settings by default."""
        source = build_source(self.source, self.filters or {})
        if isinstance(source, Ids):
            return Ids(movie_ids=tuple(self.movie_ids or settings.ingestion_movie_ids))
        return source


class AnalyticsRequest(Request):
    """The parameters of `refresh-analytics`."""

    ALL_STAGES: ClassVar[tuple[StageName, ...]] = (StageName.TRANSFORM, StageName.KPIS, StageName.REPORT)

    stages: Annotated[
        list[AnalyticsStage] | None,
        Field(description="Run only these stages of transform, kpis and report. Default: all."),
    ] = None
    refresh: Refresh = False
    spark_master: Annotated[
        str | None,
        Overrides("spark_master"),
        Option(metavar="MASTER"),
        Field(
            description="Spark engine: sail (embedded), docker, local[*], spark://… or sc://…. Default: "
            "SPARK_MASTER."
        ),
    ] = None
    lake_root: LakeRoot = None
    output_dir: OutputDir = None
    accept_checks: Annotated[
        list[str] | None,
        Option("--accept", metavar="CHECK"),
        Field(description="Publish the tables although these data quality checks fail."),
    ] = None
    as_of_version: Annotated[
        Annotated[int, Field(ge=0, le=LARGEST_VERSION)] | None,
        Field(
            description="Write only the report and the plots of version N of silver/movies, beside the "
            "current ones."
        ),
    ] = None
    imdb_ratings: ImdbRatings = None

    def check(self) -> None:
        """Reject a report as of a version that would change something, and an unknown engine or check."""
        super().check()
        _check_stages(self)
        _check_engine(self.spark_master)
        if self.accept_checks:
            from spark.checks.all_checks import require_known

            require_known(self.accept_checks)

    @property
    def wanted(self) -> list[StageName]:
        """Return the stages to run, in order."""
        if self.as_of_version is not None:
            return [StageName.REPORT]
        return [stage for stage in self.ALL_STAGES if stage in (self.stages or self.ALL_STAGES)]


class RunRequest(AnalyticsRequest, IngestRequest):
    """The parameters of `movie-pipeline`."""

    ALL_STAGES = tuple(StageName)

    stages: Annotated[
        list[StageName] | None,
        Option("--stage"),
        Field(description="Run only these stages of ingest, transform, kpis and report. Default: all."),
    ] = None  # type: ignore[assignment]
    analytics_deployment: Annotated[
        str | None,
        Option(None),
        Field(
            description="Deployment of refresh-analytics that runs the stages after ingest, if they have "
            "anything to do. Default: this run does."
        ),
    ] = None

    @property
    def ingestion(self) -> IngestRequest:
        """Return the part of the request for `ingest-movies`."""
        return self._part(IngestRequest)

    @property
    def analytics(self) -> AnalyticsRequest | None:
        """Return the part of the request for `refresh-analytics`, or None if no stage is left for it."""
        stages = [stage for stage in self.wanted if stage is not StageName.INGEST]
        return self._part(AnalyticsRequest, stages=stages) if stages else None

    def _part(self, model: type[R], **changes: Any) -> R:
        return model(**{name: getattr(self, name) for name in model.model_fields} | changes)


class ForecastRequest(Request):
    """The parameters of `forecast-revenue`."""

    movie_ids: Annotated[
        list[MovieId] | None,
        Option("--movie", metavar="ID"),
        Field(description="Movies in silver to forecast, released in the held-back years or later."),
    ] = None
    holdout_years: Annotated[
        int,
        Field(ge=1, le=50, description="Hold back the last N release years to evaluate the model on them."),
    ] = 3
    accept_score: Annotated[
        bool, Field(description="Publish although the scores are so good that they look like a leak.")
    ] = False
    lake_root: LakeRoot = None
    output_dir: OutputDir = None


class MaintainRequest(Request):
    """The parameters of `maintain-lake`."""

    retention_days: Annotated[
        float,
        Field(
            ge=1,
            le=3650,
            description="Keep files that no current version has for this many days; running jobs may still "
            "read them.",
        ),
    ] = 7
    max_age_days: Annotated[
        Annotated[float, Field(gt=0, le=36_500)] | None,
        Field(
            description="Fetch movies again that were fetched longer ago, and drop their old payloads. If "
            "empty, neither is done."
        ),
    ] = LONGEST_AGE_DAYS
    lake_root: LakeRoot = None
    keep_runs_days: Annotated[
        Annotated[float, Field(ge=1, le=36_500)] | None,
        Field(
            description="Delete older runs of these flows from Prefect, with their artifacts, logs and "
            "cached results, and of newer runs' pictures all but the newest three versions of each. If "
            "empty, nothing is deleted."
        ),
    ] = KEPT_RUNS_DAYS


def _check_source(request: IngestRequest) -> None:
    given = [name for name in ("movie_ids", "movie_ids_file") if getattr(request, name) is not None]
    if request.movie_ids is not None and not request.movie_ids:
        raise ParameterError("There is no movie id in movie_ids. Give ids, or leave it out")
    if len(given) > 1:
        raise ParameterError("Give movie ids or a file of them, not both")
    if given and request.source != IDS:
        raise ParameterError(
            f"Movie ids are for the source ids, not for {request.source}. Leave out the ids or the source"
        )
    try:
        build_source(request.source, request.filters or {})
    except ValueError as error:
        raise ParameterError(str(error)) from None


def _check_stages(request: AnalyticsRequest) -> None:
    stages = request.stages or ()
    if request.as_of_version is not None:
        if set(stages) - {StageName.REPORT}:
            raise ParameterError("A report as of a version has only the stage report. Leave out other stages")
        if given := _given(request, NOT_AS_OF):
            raise ParameterError(
                f"A report as of a version fetches and changes nothing: leave out {given[0]}"
            )
    elif stages:
        for name in _given(request, STAGES_OF):
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
    from spark.spark_errors import EngineUnavailable

    try:
        check_engine_settings(master)
    except EngineUnavailable as error:
        raise ParameterError(str(error)) from error


def _given(request: Request, names: Collection[str]) -> list[str]:
    """Return the names that have a value; forms also send empty ones."""
    values = request.parameters
    return [name for name in names if values.get(name) and (name, values[name]) != ("source", IDS)]
