"""Plan what a run has to do, from settings, lake and source."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta
from itertools import chain
from typing import TYPE_CHECKING

from movies.lake.backup import check_finished
from movies.lake.cursor import read_cursor
from movies.lake.delta import LakeView
from movies.lake.inventory import Inventory, read_inventory
from movies.lake.publications import read_publications
from movies.lake.repair import LOST, drop_lost_files, require_raw_files
from movies.lake.work_list import WorkList, check_source, find_sources, owed_movies, plan_work
from movies.report.provenance import describe_data, name_source
from movies.settings import SANDBOX_SOURCE, TMDB_API_URL, Settings, SettingsError
from movies.tmdb.sources import Found, Position
from stages.kpis_stage import KPIS_STAGE
from stages.names import StageName
from stages.stage import why_stale
from stages.transform_stage import transform_stage

if TYPE_CHECKING:
    from tasks.context import RunContext

logger = logging.getLogger(__name__)


def source_of(settings: Settings) -> str:
    """Return the name in `raw/movies` of the server that the movies come from."""
    return SANDBOX_SOURCE if settings.uses_sandbox else settings.tmdb_base_url or TMDB_API_URL


def announce_data(run: RunContext) -> str:
    """Return where the movies come from, by the lake or else the server; log it once per run."""
    if run.source is None:
        run.source = name_source(find_sources(run.lake) or {source_of(run.settings)})
        logger.info("%s", describe_data(run.source))
    return run.source


def check_lake(settings: Settings, lake: LakeView, *, repairs: bool = True) -> None:
    """Reject a lake that this run must not write to, and remove lost files from its raw tables.

    Raises:
        LakeError: it has movies from another kind of source, is an unfinished copy, or has lost files that
            must not be removed now.
    """
    check_finished(settings.lake)
    if repairs:
        drop_lost_files(lake, source_of(settings))
    else:
        require_raw_files(lake)
    check_source(lake, source_of(settings), SANDBOX_SOURCE)


def check_ratings(settings: Settings) -> None:
    """Reject a missing file of ratings.

    Raises:
        SettingsError: the file does not exist.
    """
    if settings.imdb_ratings is None:
        return
    from movies.imdb.imdb_errors import UnavailableError
    from movies.imdb.location import check_file

    try:
        check_file(settings.imdb_ratings)
    except UnavailableError as error:
        raise SettingsError(f"IMDB_RATINGS: {error}") from error


def read_position(lake: LakeView, inventory: Inventory) -> Position:
    """Return the change cursor of the lake.

    Raises:
        LakeError: it cannot be read.
    """
    cursor = read_cursor(lake)
    return Position(cursor.followed, cursor.broken_off, inventory.oldest_fetch, owed_movies(inventory))


def plan(
    settings: Settings,
    inventory: Inventory,
    found: Found,
    *,
    refresh: bool = False,
    fetched_since: datetime | None = None,
) -> WorkList:
    """List which of the found ids are still to be fetched.

    Movies that were fetched before `fetched_since` are fetched again; None leaves it to settings and source.
    """
    since = fetched_since
    if since is None and (days := settings.ingestion_max_age_days) is not None:
        since = datetime.now(UTC) - timedelta(days=days)
    needed = found.needed_since or since
    movie_ids = found.movie_ids
    # The source changes, which has a time for each movie, always requests failed ones again.
    if (needed is None or isinstance(needed, datetime)) and (lost := owed_movies(inventory, LOST)):
        movie_ids = array("q", chain(movie_ids, lost))
    return plan_work(inventory, movie_ids, needed_since=needed, refresh=refresh)


def followed_until(settings: Settings, found: Found) -> tuple[datetime, int]:
    """Return until when all changes are in the lake, and how many later ones are not.

    A cache may have responded with content from before a change. The next run processes such a change,
    because it reads the list of that day again. What could not be fetched at all is pending by itself.
    """
    assert found.needed_since is not None and found.followed is not None, "the source is changes"
    inventory = read_inventory(settings.lake)
    work = plan_work(inventory, found.movie_ids, needed_since=found.needed_since)
    outdated = set(work.to_fetch) - set(owed_movies(inventory))
    if not outdated:
        return found.followed, 0
    needed = zip(found.movie_ids, found.needed_since, strict=True)
    # The day ends at that moment, or has not ended yet.
    first = min(moment for movie_id, moment in needed if movie_id in outdated) - timedelta(microseconds=1)
    return min(found.followed, datetime.combine(first.date(), time(), UTC)), len(outdated)


def needs_engine(run: RunContext, stages: Collection[StageName], work: WorkList | None) -> bool:
    """Return whether a Spark engine will surely be needed; if that is not known yet, it is not."""
    with_ratings = run.settings.imdb_ratings is not None
    if StageName.TRANSFORM in stages:
        has_news = work is not None and bool(work.to_fetch)
        return has_news or bool(why_stale(transform_stage(with_ratings), run.lake))
    has_silver = StageName.TRANSFORM in read_publications(run.lake)
    return StageName.KPIS in stages and has_silver and bool(why_stale(KPIS_STAGE, run.lake))
