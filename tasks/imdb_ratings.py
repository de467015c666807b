"""The task that reads IMDb's file of ratings into its raw table, if it has changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from prefect import task
from prefect.cache_policies import NO_CACHE

from movies.lake.tables import IMDB_RATINGS
from stages.code import code_version

if TYPE_CHECKING:
    from movies.lake.snapshots import Snapshot

logger = logging.getLogger(__name__)

# What decides which rows a file has.
MODULE, LIBRARIES = "movies.imdb.ratings", ("pyarrow",)


@dataclass(frozen=True)
class RatingsCounts:
    """Counts of the file's rows and of rejected rows by reason, and whether the file has changed."""

    rows: int
    refused: Mapping[str, int] = field(default_factory=dict)
    is_new: bool = False


@task(name="read-imdb-ratings", task_run_name="imdb-ratings", cache_policy=NO_CACHE, persist_result=False)
async def read_ratings(lake_root: str, location: str, batch_id: str, waits: list[float]) -> RatingsCounts:
    """Replace the rows of `raw/imdb_ratings` by those of the file, if it has changed.

    Raises:
        ImdbError: the file cannot be fetched or is not a file of ratings; the table stays as it was.
        LakeAccessError: the table cannot be written.
    """
    from movies.imdb.location import obtain, shown
    from movies.lake.snapshots import Snapshot, read_snapshot

    source = shown(location)
    before, code = read_snapshot(IMDB_RATINGS, lake_root), code_version(MODULE, LIBRARIES)
    is_known = before is not None and (before.source, before.code) == (source, code)
    async with obtain(location, before.mark if before and is_known else None, waits) as copy:
        if copy is None:
            assert before is not None, "a known mark is an earlier file's"
            logger.info("unchanged: %s", source)
            return RatingsCounts(before.rows, before.refused)
        told, is_new = await asyncio.to_thread(
            mirror_ratings, lake_root, copy.path, Snapshot(source, copy.mark, "", code, 0), batch_id
        )
    refused = f", {sum(told.refused.values()):,} rejected {dict(told.refused)}" if told.refused else ""
    logger.info("%s ratings in %s%s%s", f"{told.rows:,}", source, refused, "" if is_new else ", as before")
    return RatingsCounts(told.rows, told.refused, is_new)


def mirror_ratings(lake_root: str, path: Path, told: Snapshot, batch_id: str) -> tuple[Snapshot, bool]:
    """Read a file into the table; `told` is what is known of it so far."""
    from movies.imdb.ratings import RatingsFile
    from movies.lake.snapshots import Snapshot, replace_by_file

    file = RatingsFile(path, told.source)
    constants = {"fetched_at": datetime.now(UTC), "batch_id": batch_id, "source": told.source}

    def describe() -> Snapshot:
        return Snapshot(told.source, told.mark, file.digest, told.code, file.rows, dict(file.refused))

    return replace_by_file(IMDB_RATINGS, lake_root, file.batches(), constants, describe)
