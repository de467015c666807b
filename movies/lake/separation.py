"""Move sandbox movies that version 0.1.0 wrote to the folder of real movies in containers."""

from __future__ import annotations

from movies.lake.lake_errors import access
from movies.lake.lock import ingestion_lock
from movies.lake.table import local_folder
from movies.lake.work_list import find_sources


async def separate_sandbox(real_lake: str, sandbox_lake: str, sandbox: str) -> str | None:
    """Rename a lake of sandbox movies to the sandbox folder, once no run fetches into it.

    Returns:
        A sentence about what was done, or None if there was nothing to do.

    Raises:
        LakeError: the lake cannot be read or renamed.
    """
    real, target = local_folder(real_lake), local_folder(sandbox_lake)
    # Outside of containers, the sandbox folder is in the folder of real movies and needs no move.
    if real is None or target is None or not real.is_dir() or real in target.parents:
        return None
    if find_sources(real_lake) != {sandbox}:
        return None
    if target.is_dir() and any(target.iterdir()):
        return (
            f"{real} holds movies of the sandbox, and so does {target}. Delete one of them, "
            "or no real movies can be fetched."
        )
    async with ingestion_lock(real_lake):
        with access("renamed", str(real)):
            if target.is_dir():
                target.rmdir()
            real.rename(target)
            real.mkdir()
    return f"{real} held movies of the sandbox. It was renamed to {target}, and {real} is for real movies."
