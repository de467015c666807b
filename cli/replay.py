"""Rejected payloads validated again, for `movies quarantine replay`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from cli.refused import Fate, NotInQuarantineError, Refusal, describe_absence, find_fates, find_refusals
from cli.run_command import execute
from cli.terminal import Terminal
from flows.failure import FAILED, OK
from flows.request import AnalyticsRequest, RunRequest
from flows.run_report import reasons
from movies.lake.delta import current_version
from movies.lake.publications import find_publication
from movies.lake.tables import FETCH_FAILURES, RAW_MOVIES
from movies.report.formats import counted
from stages.names import StageName

# More ids go into a file, because Prefect limits the size of parameters.
MOST_IDS_AS_PARAMETER = 1_000
MOST_LISTED = 20
OUTCOMES = {
    "silver": "in silver now",
    "filtered": "filtered now",
    "refused": "still rejected",
    "gone": "gone",
}


def show_replay(
    movie_ids: Sequence[int],
    reason: str | None,
    fetch: bool,
    spark_master: str | None,
    lake_root: str | None,
    output_dir: str | None,
) -> int:
    """Run the pipeline over rejected payloads, say what became of them, and return the exit status."""
    terminal = Terminal()
    given = {"spark_master": spark_master, "lake_root": lake_root, "output_dir": output_dir}
    request = RunRequest.read(
        {"stages": AnalyticsRequest.ALL_STAGES}
        | {name: value for name, value in given.items() if value is not None}
    )
    lake = request.load_settings().lake
    chosen = choose(lake, movie_ids, reason)
    if not chosen:
        of_reason = "" if reason is None else f" for the reason {reason}"
        terminal.say(f"No payload is in quarantine{of_reason}. Nothing to replay")
        return OK
    fetched = OK
    if fetch:
        versions_before = _raw_versions(lake)
        fetched = fetch_again(request, list(chosen))
        # As in a whole run, the other movies are validated although some could not be fetched, but an error
        # that stops a run stops this one.
        if fetched != OK and (fetched != FAILED or _raw_versions(lake) == versions_before):
            return fetched
    before = find_publication(lake, StageName.TRANSFORM)
    status = execute(request)
    if status == OK or (status == FAILED and find_publication(lake, StageName.TRANSFORM) != before):
        say_fates(terminal, chosen, find_fates(lake, chosen))
    return status or fetched


def choose(lake_root: str, movie_ids: Sequence[int], reason: str | None) -> dict[int, Refusal]:
    """Return the rejections to replay, by movie id: of these movies, for this reason, or all.

    Raises:
        NotInQuarantineError: one of the movies is not in quarantine.
    """
    found = {one.movie_id: one for one in find_refusals(lake_root, movie_ids or None, reason)}
    missing = [movie_id for movie_id in dict.fromkeys(movie_ids) if movie_id not in found]
    if missing:
        raise NotInQuarantineError(describe_absence(lake_root, missing))
    return found


def fetch_again(request: RunRequest, movie_ids: Sequence[int]) -> int:
    """Fetch these movies again, and return the exit status.

    This is a separate run, because a refresh together with the other stages would rebuild all of silver.
    """
    given = {"stages": [StageName.INGEST], "refresh": True, "spark_master": None}
    if len(movie_ids) <= MOST_IDS_AS_PARAMETER:
        return execute(request.model_copy(update=given | {"movie_ids": [*movie_ids]}))
    with TemporaryDirectory() as folder:
        file = Path(folder) / "movie_ids.txt"
        file.write_text("\n".join(map(str, movie_ids)), encoding="utf-8")
        return execute(request.model_copy(update=given | {"movie_ids_file": file}))


def say_fates(terminal: Terminal, refusals: Mapping[int, Refusal], fates: Mapping[int, Fate]) -> None:
    """Count what became of rejected payloads, and list them if they are few."""
    terminal.say(f"Of {counted(len(refusals), 'payload')} that had been rejected:")
    for outcome, name in OUTCOMES.items():
        counts = Counter(fate.reason for fate in fates.values() if fate.outcome == outcome)
        if outcome == "gone" and not counts:
            continue
        detail = f"  ({reasons(counts)})" if any(counts) else ""
        terminal.say(f"  {name + ' ':.<18} {counts.total():>9,}{detail}")
    if len(refusals) > MOST_LISTED:
        return
    width = max(len("was"), *(len(refusal.why()) for refusal in refusals.values()))
    terminal.say(f"  {'movie':>10}  {'was':<{width}}  is")
    for movie_id, refusal in refusals.items():
        terminal.say(f"  {movie_id:>10}  {refusal.why():<{width}}  {fates[movie_id].sentence()}")


def _raw_versions(lake_root: str) -> tuple[object, ...]:
    return tuple(current_version(table, lake_root) for table in (RAW_MOVIES, FETCH_FAILURES))
