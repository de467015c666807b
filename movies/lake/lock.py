"""Let only one run at a time fetch into a lake, if the lake is a folder.

The operating system locks a file that stays. The lock ends with its process, even after a kill, and works
between containers on one machine. Object stores have no locks: concurrent runs still commit every movie once
(`lake.commits`), but both may fetch the same movies.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from filelock import FileLock, Timeout

from movies.lake.lake_errors import access
from movies.lake.table import local_folder

logger = logging.getLogger(__name__)

LOCK_FILE = "_ingestion.lock"
POLL_SECONDS = 0.2


@asynccontextmanager
async def ingestion_lock(lake_root: str) -> AsyncIterator[None]:
    """Wait until no other run fetches into the lake, and lock it for the length of the block.

    Raises:
        LakeAccessError: the folder cannot be written.
    """
    folder = local_folder(lake_root)
    if folder is None:
        yield
        return
    # A "soft" lock is the mere existence of a file, which would outlive a killed run. The mode lets another
    # user's container lock the file, too.
    lock = FileLock(folder / LOCK_FILE, mode=0o666, thread_local=False, fallback_to_soft=False)
    with access("written", str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
        has_warned = False
        while True:
            try:
                lock.acquire(blocking=False)
                break
            except Timeout:
                if not has_warned:
                    has_warned = True
                    logger.warning(
                        "Another run is fetching into %s. This one waits until it has ended.", folder
                    )
            except NotImplementedError:
                logger.info("%s has no locks: two runs at once may fetch some movies twice", folder)
                break
            await asyncio.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        lock.release()
