"""What is in the lake, how fresh it is, and what the next run would do, for `movies status`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from cli.streams import standard_output
from cli.terminal import Terminal
from cli.terminal_tables import rows_of, table_lines
from movies.report.formats import counted
from movies.settings import load_settings
from stages.lake_status import LONGEST_AGE, LakeStatus, MovieStatus, StageStatus, TableStatus, read_status

MOMENT = "%Y-%m-%d %H:%M"


def show_status(lake_root: str | None, as_json: bool = False) -> None:
    """Print the status of the lake, in lines or as one JSON object."""
    status = read_status(load_settings(lake_root=lake_root), datetime.now(UTC))
    if as_json:
        with standard_output() as stream:
            stream.write(msgspec.json.format(msgspec.json.encode(status), indent=1) + b"\n")
        return
    terminal = Terminal()
    for line in describe(status):
        terminal.say(line)


def describe(status: LakeStatus) -> Iterator[str]:
    """Describe the status in lines for a person."""
    yield f"Lake at {status.lake}"
    names = ("table", "rows", "version", "last written (UTC)", "note")
    rows = [(table.table.replace(".", "/", 1), *_table_cells(table)) for table in status.tables]
    # Without the column of notes if no table has one.
    columns = len(names) if any(row[-1] for row in rows) else len(names) - 1
    for line in table_lines(rows_of(names[:columns], [row[:columns] for row in rows])):
        yield f"  {line}"
    yield from describe_movies(status.movies, status.as_of)
    if status.changes.followed is not None:
        yield f"TMDB's changes are processed up to {status.changes.followed:{MOMENT}} (UTC)"
    if status.changes.broken_off is not None:
        yield "A scan of TMDB's changes was interrupted: the next run from the source changes goes on with it"
    yield from _last_runs(status)
    yield from _quality(status)
    yield from _next_run(status)


def _table_cells(table: TableStatus) -> tuple[object, ...]:
    notes = []
    if table.version != table.newest_version:
        notes.append(f"version {table.newest_version} is not published")
    if table.damaged_files:
        notes.append(f"{counted(len(table.damaged_files), 'file')} missing or torn: {table.damaged_files[0]}")
    written = f"{table.written_at:{MOMENT}}" if table.written_at else None
    return table.rows, table.version, written, "; ".join(notes) or None


def describe_movies(movies: MovieStatus, now: datetime) -> Iterator[str]:
    """Say how many movies are here, not at TMDB, or missing and why, and how old they are."""
    owed = ", ".join(f"{reason} ({count})" for reason, count in movies.owed.items())
    yield (
        f"Movies: {movies.present:,} here, {movies.absent:,} not at TMDB "
        f"({movies.deleted:,} of them deleted since), "
    ) + (f"{sum(movies.owed.values()):,} missing ({owed})" if movies.owed else "none missing")
    if movies.oldest_fetch is None or movies.newest_fetch is None:
        return
    yield (
        f"Fetched between {movies.oldest_fetch:{MOMENT}} ({age(now - movies.oldest_fetch)} ago) and "
        f"{movies.newest_fetch:{MOMENT}} ({age(now - movies.newest_fetch)} ago) (UTC)"
    )
    if movies.stale:
        yield (
            f"{counted(movies.stale, 'movie')} fetched more than {LONGEST_AGE.days} days ago, longer than "
            "TMDB's terms allow. Run the flow maintain-lake to fetch them again"
        )


def age(span: timedelta) -> str:
    """Format a time in the largest unit of which it has at least two."""
    minutes = max(0, int(span.total_seconds() // 60))
    for unit, length in (("day", 24 * 60), ("hour", 60)):
        if minutes >= 2 * length:
            return counted(minutes // length, unit)
    return counted(minutes, "minute")


def _last_runs(status: LakeStatus) -> Iterator[str]:
    if not status.ingestions and not any(stage.published_at for stage in status.stages):
        return
    yield "Last runs (UTC)"
    for run in status.ingestions:
        missed = f", {counted(run.failures, 'movie')} could not be fetched" if run.failures else ""
        yield f"  {run.ended:{MOMENT}}  ingest     {counted(run.movies, 'movie')} committed{missed}"
    for stage in status.stages:
        if stage.published_at is not None:
            past = age(status.as_of - stage.published_at)
            by = f" by code {stage.code_version[:8]}"
            yield f"  {stage.published_at:{MOMENT}}  {stage.stage:<10} {_made(stage)} ({past} ago{by})"


def _made(stage: StageStatus) -> str:
    facts = stage.facts
    if "rows" in facts:
        return f"{sum(facts['rows'].values()):,} rows in {len(facts['rows'])} tables"
    filtered, rejected = (sum(facts.get(key, {}).values()) for key in ("filtered", "quarantined"))
    return f"{counted(facts.get('movies', 0), 'movie')}, {filtered:,} filtered, {rejected:,} in quarantine"


def _quality(status: LakeStatus) -> Iterator[str]:
    for check in status.failed_checks:
        rows = check["failing_rows"]
        movies = "" if rows is None else f" of {counted(rows, 'movie')}"
        limit = f" (allowed: {check['limit']})" if check["limit"] else ""
        effect = "error, gold is not published" if check["severity"] == "error" else "warning"
        yield f"Quality: {check['check']} fails{movies}{limit}: {effect}"


def _next_run(status: LakeStatus) -> Iterator[str]:
    """Say what `movies run` without options would do."""
    steps = [f"fetch {counted(status.to_fetch, 'movie')}"] if status.to_fetch else []
    steps += [
        f"{stage.stage}, because {' and '.join(stage.reasons_to_run)}"
        for stage in status.stages
        if stage.reasons_to_run
    ]
    if parts := status.outdated_outputs:
        steps.append(f"report, because these are stale in {status.output_dir}: {', '.join(parts)}")
    yield f"Next run: {'; '.join(steps) if steps else 'nothing to do'}"
