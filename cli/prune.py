"""The command `movies prune`: delete old runs from Prefect."""

from __future__ import annotations

import asyncio

from cli.local_api import start_local_api
from cli.terminal import Terminal
from movies.report.formats import counted


class PruneError(Exception):
    """Old runs cannot be deleted; the text says why (exit status 1)."""


def show_prune(days: int, dry_run: bool) -> None:
    """Delete old runs, or only count them, and print what was done.

    Raises:
        PruneError: Prefect's API does not respond, or rejects a request.
    """
    terminal = Terminal()
    api = start_local_api()
    # Prefect is imported here, while its API is starting.
    import httpx

    from tasks.pruning import FLOWS, KEPT_PICTURES, prune_runs

    try:
        with api.ready(terminal.note):
            pruned = asyncio.run(prune_runs(days, dry_run))
    except httpx.HTTPError as error:
        reason = str(error).partition("\n")[0]
        raise PruneError(f"Old runs cannot be deleted: {reason}. Check PREFECT_API_URL.") from error
    verb = "Would delete" if dry_run else "Deleted"
    terminal.say(
        f"{verb} {counted(pruned.runs, 'run')} older than {counted(days, 'day')}, "
        f"with {counted(pruned.artifacts, 'artifact')} and their logs."
    )
    if pruned.pictures:
        terminal.say(
            f"{verb} {counted(pruned.pictures, 'picture')} of newer runs: the newest {KEPT_PICTURES} "
            "versions of each stay."
        )
    if pruned.results:
        terminal.say(f"{verb} {counted(pruned.results, 'cached result')} as old.")
    if pruned.kept:
        terminal.say(
            f"Kept {counted(pruned.kept, 'older run')} whose artifacts are the latest of their kind."
        )
    terminal.say(f"Runs of other flows than {', '.join(FLOWS)} stay as they are.")
