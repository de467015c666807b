"""Rejected payloads in silver's tables, for `movies quarantine list` and `show`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from cli.streams import standard_output
from cli.terminal import Terminal
from cli.terminal_tables import rows_of
from movies.lake.arrow import arrow_schema
from movies.lake.delta import open_table, query
from movies.lake.table import Table
from movies.lake.tables import FILTERED, QUARANTINE, SILVER_MOVIES
from movies.report.formats import counted
from movies.settings import load_settings
from spark.payloads import is_deep

INDENT = 2
MOST_NAMED = 5
MOMENT = "%Y-%m-%d %H:%M"


class NotInQuarantineError(Exception):
    """A requested movie is not in quarantine; the text says where it is."""


class NotValidatedError(Exception):
    """The lake has no silver yet, so no payload has been validated."""


@dataclass(frozen=True)
class Refusal:
    """Why a payload is in quarantine, and which fetch it came from."""

    movie_id: int
    reason: str
    detail: str | None
    fetched_at: datetime
    batch_id: str

    def why(self) -> str:
        return _why(self.reason, self.detail)


@dataclass(frozen=True)
class Fate:
    """What became of a movie: `silver`, `filtered`, `refused`, or `gone` if no table has it."""

    outcome: str = "gone"
    reason: str = ""
    detail: str | None = None

    def sentence(self) -> str:
        """Describe the outcome with its reason."""
        why = _why(self.reason, self.detail)
        return {
            "silver": "in silver",
            "filtered": f"filtered: {why}",
            "refused": f"still rejected: {why}",
            "gone": "in none of silver's tables",
        }[self.outcome]


def show_list(reason: str | None, limit: int, lake_root: str | None) -> None:
    """Print the reasons with their counts, and the rejected payloads."""
    terminal = Terminal()
    lake = load_settings(lake_root=lake_root).lake
    refused, filtered = count_reasons(QUARANTINE, lake), count_reasons(FILTERED, lake)
    listed = find_refusals(lake, reason=reason, limit=limit)
    terminal.say(f"Lake at {lake}")
    _say_counts(terminal, f"{counted(sum(refused.values()), 'payload')} in quarantine", refused)
    _say_counts(terminal, f"{counted(sum(filtered.values()), 'movie')} filtered", filtered)
    found = sum(refused.values()) if reason is None else refused.get(reason, 0)
    if reason is not None and not found:
        terminal.say(f"No payload is in quarantine for the reason {reason}")
    _say_refusals(terminal, listed)
    if (more := found - len(listed)) > 0:
        terminal.say(f"  … and {more:,} more. List all with --limit {found}")


def show_payload(movie_id: int, lake_root: str | None) -> None:
    """Print a rejected payload, and on standard error what is wrong with it.

    Raises:
        NotInQuarantineError: no payload of the movie is rejected.
    """
    terminal = Terminal()
    lake = load_settings(lake_root=lake_root).lake
    found = find_refusals(lake, [movie_id])
    if not found:
        raise NotInQuarantineError(describe_absence(lake, [movie_id]))
    payload = read_payload(lake, movie_id)
    is_in_silver = bool(_select(SILVER_MOVIES, lake, "id", f"WHERE id = {movie_id}").num_rows)
    [refusal] = found
    terminal.note(f"Movie {movie_id} is in quarantine: {refusal.why()}")
    terminal.note(f"Fetched at {refusal.fetched_at:{MOMENT}} (UTC) in batch {refusal.batch_id}")
    if is_in_silver:
        terminal.note("Silver keeps the last valid payload of this movie")
    if payload is None:
        terminal.note("The payload is null")
        return
    indented = indent(payload)
    if indented is None:
        terminal.note("The payload is not valid JSON, or is nested too deep; it is printed unchanged")
    # As bytes, because the terminal's encoding may lack a character.
    with standard_output() as stream:
        stream.write(f"{payload if indented is None else indented}\n".encode())


def count_reasons(table: Table, lake_root: str) -> dict[str, int]:
    """Count the rows of a table by reason, the most frequent first."""
    rows = _select(table, lake_root, "reason, count(*) AS n", "GROUP BY reason ORDER BY n DESC, reason")
    return {row["reason"]: row["n"] for row in rows.to_pylist()}


def find_refusals(
    lake_root: str,
    movie_ids: Collection[int] | None = None,
    reason: str | None = None,
    limit: int | None = None,
) -> list[Refusal]:
    """Return the rejections of these movies, for this reason, or all, sorted by reason and movie.

    Raises:
        NotValidatedError: there is no such table yet.
        LakeError: it cannot be read.
    """
    conditions = []
    if movie_ids is not None:
        conditions.append(f"movie_id IN ({', '.join(map(str, movie_ids))})")
    if reason is not None:
        quoted = reason.replace("'", "''")
        conditions.append(f"reason = '{quoted}'")
    where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
    most = f" LIMIT {limit}" if limit is not None else ""
    columns = "movie_id, reason, detail, fetched_at, batch_id"
    rows = _select(QUARANTINE, lake_root, columns, f"{where}ORDER BY reason, movie_id{most}")
    return [Refusal(**row) for row in rows.to_pylist()]


def read_payload(lake_root: str, movie_id: int) -> str | None:
    """Return the payload of a movie in quarantine, verbatim."""
    rows = _select(QUARANTINE, lake_root, "payload", f"WHERE movie_id = {movie_id}")
    payload: str | None = rows.column("payload")[0].as_py()
    return payload


def find_fates(lake_root: str, movie_ids: Iterable[int]) -> dict[int, Fate]:
    """Look each movie up in silver's tables."""
    fates = dict.fromkeys(movie_ids, Fate())
    wanted = pa.array(fates, pa.int64())
    # The later wins: silver may have an older, valid payload of a movie whose latest one is rejected.
    for outcome, table, columns in (
        ("silver", SILVER_MOVIES, ["id"]),
        ("filtered", FILTERED, ["movie_id", "reason"]),
        ("refused", QUARANTINE, ["movie_id", "reason", "detail"]),
    ):
        # The query engine returns view types, which cannot be filtered.
        schema = pa.schema([arrow_schema(table).field(column) for column in columns])
        rows = _select(table, lake_root, ", ".join(columns)).cast(schema)
        for row in rows.filter(pc.is_in(rows.column(0), value_set=wanted)).to_pylist():
            fates[row[columns[0]]] = Fate(outcome, row.get("reason", ""), row.get("detail"))
    return fates


def describe_absence(lake_root: str, movie_ids: Collection[int]) -> str:
    """Say in one sentence in which table movies are that are not in quarantine."""
    named = list(movie_ids)[:MOST_NAMED]
    fates = find_fates(lake_root, named)
    places = {
        "silver": "which is in silver",
        "filtered": "which is filtered",
        "gone": "whose payload has not been validated",
    }
    texts = [
        f"movie {movie_id}, {places[fate.outcome]}" + (f" ({fate.reason})" if fate.reason else "")
        for movie_id, fate in fates.items()
    ]
    more = [f"and {len(movie_ids) - len(named):,} more"] if len(movie_ids) > len(named) else []
    return f"Not in quarantine: {'; '.join([*texts, *more])}"


def indent(payload: str) -> str | None:
    """Indent JSON and leave its values verbatim; return None if it is invalid or nested too deep."""
    try:
        # The lines of a deeply nested value would begin with as many blanks.
        if is_deep(json.loads(payload, parse_int=str)):
            return None
        return msgspec.json.format(payload, indent=INDENT)
    except (ValueError, msgspec.MsgspecError, RecursionError):
        return None


def _why(reason: str, detail: str | None) -> str:
    return f"{reason} ({detail})" if detail else reason


def _select(table: Table, lake_root: str, columns: str, rest: str = "") -> Any:
    found = open_table(table, lake_root)
    if found is None:
        raise NotValidatedError(
            f"There is no {table.name} in {lake_root}. Run `movies run` first, or the stage 'transform'"
        )
    return query(found, f"SELECT {columns} FROM t {rest}")


def _say_counts(terminal: Terminal, title: str, counts: Mapping[str, int]) -> None:
    terminal.say(title)
    for reason, count in counts.items():
        terminal.say(f"  {reason + ' ':.<18} {count:>9,}")


def _say_refusals(terminal: Terminal, refusals: Collection[Refusal]) -> None:
    rows = [
        (one.movie_id, one.reason, one.detail, f"{one.fetched_at:{MOMENT}}", one.batch_id) for one in refusals
    ]
    if rows:
        terminal.say_rows(rows_of(("movie", "reason", "field", "fetched (UTC)", "batch"), rows))
