"""One fetching run a lake at a time, where the lake is a folder.

The lock is the operating system's, on a file that stays: it ends with the process that holds it, however
that ends, and also holds between containers on one machine. Where there is none, as in an object store, runs
at the same time are still exact (`lake.commits`), though some movies are then fetched by both.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from filelock import FileLock, Timeout

from movies.lake.errors import access
from movies.lake.table import local_folder

logger = logging.getLogger(__name__)

LOCK_FILE = "_ingestion.lock"
POLL_SECONDS = 0.2


@asynccontextmanager
async def ingestion_lock(lake_root: str) -> AsyncIterator[None]:
    """Hold the lake for one fetching run, once the run that holds it has ended.

    Raises:
        LakeAccessError: the folder cannot be written.
    """
    folder = local_folder(lake_root)
    if folder is None:
        yield
        return
    # What takes the place of a missing lock, a file that is there or not, would outlive a killed run. Another
    # user's container has to get it, too.
    lock = FileLock(folder / LOCK_FILE, mode=0o666, thread_local=False, fallback_to_soft=False)
    with access("written", str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
        is_told = False
        while True:
            try:
                lock.acquire(blocking=False)
                break
            except Timeout:
                if not is_told:
                    is_told = True
                    logger.warning(
                        "Another run is fetching into %s: this one waits until it has ended", folder
                    )
            except NotImplementedError:
                logger.info("%s has no locks: two runs at once may ask for some movies twice", folder)
                break
            await asyncio.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        lock.release()
