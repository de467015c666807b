"""What a run has to do, read from settings and lake alone."""

from __future__ import annotations

from collections.abc import Collection
from contextvars import ContextVar
from typing import TYPE_CHECKING

from lake.backup import check_finished
from lake.publications import current
from lake.work_list import WorkList, check_source, plan_work, stale_movies
from settings import SANDBOX_SOURCE, TMDB_API_URL, Settings
from tasks.stages import Stage

if TYPE_CHECKING:
    from tmdb.sandbox import Sandbox

SPARK_STAGES = (Stage.TRANSFORM, Stage.KPIS)

# A sandbox that the command line has started early; otherwise the flow starts one where it needs one.
SANDBOX: ContextVar[Sandbox | None] = ContextVar("sandbox", default=None)


def source_of(settings: Settings) -> str:
    """What `raw/movies` calls the server that the movies come from."""
    return SANDBOX_SOURCE if settings.uses_sandbox else settings.tmdb_base_url or TMDB_API_URL


def check_lake(settings: Settings) -> None:
    """Refuse a lake that this run may not add to.

    Raises:
        LakeError: it holds movies from another kind of source, or is a copy that was broken off.
    """
    check_finished(settings.lake)
    check_source(settings.lake, source_of(settings), SANDBOX_SOURCE)


def plan(settings: Settings, refresh: bool) -> WorkList:
    """What is to fetch.

    Raises:
        LakeError: the lake cannot be read, or holds movies from another kind of source.
    """
    check_lake(settings)
    return plan_work(
        settings.lake,
        settings.ingestion_movie_ids,
        max_age_days=settings.ingestion_max_age_days,
        refresh=refresh,
    )


def plan_refresh(settings: Settings, max_age_days: float) -> WorkList:
    """The movies in the lake that are older than that.

    Raises:
        LakeError: the lake cannot be read, or holds movies from another kind of source.
    """
    check_lake(settings)
    return WorkList(stale_movies(settings.lake, max_age_days))


def needs_engine(settings: Settings, stages: Collection[Stage], work: WorkList | None) -> bool:
    """Whether a Spark engine will surely be asked for; a guess that errs on the side of no."""
    if Stage.TRANSFORM in stages:
        has_news = work is not None and bool(work.to_fetch)
        return has_news or any(current(settings.lake, stage) is None for stage in SPARK_STAGES)
    return Stage.KPIS in stages and current(settings.lake, Stage.TRANSFORM) is not None
