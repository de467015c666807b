"""Silver brought up to date by what has changed is silver made anew, whatever happened to the raw tables."""

from __future__ import annotations

import shutil
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movies.lake.delta import open_table, origin_of
from movies.lake.publications import find_publication
from movies.lake.tables import FETCH_FAILURES, RAW_MOVIES, SILVER, SILVER_MOVIES
from movies.lake.upkeep import compact, drop_older
from spark.engines.session import Engine
from stages import transform_stage
from stages.names import StageName
from tests.spark.lakes import append_failures, append_payloads, at, failed, fetched, payload, read_silver
from tests.spark.test_odd_payloads import SLOW
from tests.spark.transforming import NewLake, killed_after, transform, transform_facts, updated_and_rebuilt

pytestmark = pytest.mark.usefixtures("always_merging")

PAYLOADS = (
    lambda n: {"id": n, "title": f"Title {n}", "release_date": "2001-02-03"},
    lambda n: {"id": n, "title": "Moved", "release_date": "1999-12-31", "budget": 5e6, "revenue": 1e7},
    lambda n: {"id": n, "title": "Unreleased", "status": "Rumored"},
    lambda n: {"id": n, "title": "Odd", "budget": "x"},
    lambda n: {"id": n + 1, "title": "Another's"},
    lambda n: {"id": n, "title": "Poor", "release_date": ""},
)
days = st.integers(0, 8)
movie_ids = st.integers(1, 6)
fetches = st.tuples(st.just("fetch"), movie_ids, days, st.integers(0, len(PAYLOADS)))
steps = st.one_of(
    fetches,
    fetches,
    st.tuples(st.just("not found"), movie_ids, days),
    st.tuples(st.just("unavailable"), movie_ids, days),
    st.tuples(st.just("drop older"), days),
    st.just(("compact",)),
    st.just(("update",)),
)


def of_kind(movie_id: int, day: int, kind: int, batch_id: str = "b") -> dict[str, Any]:
    """A row with one of the kinds of payloads; beyond the last, a malformed one."""
    text = payload(movie_id, **PAYLOADS[kind](movie_id)) if kind < len(PAYLOADS) else "{"
    return fetched(movie_id, text, day, batch_id)


def take(session: Any, lake_root: str, nth: int, step: tuple[Any, ...]) -> None:
    match step:
        case ("fetch", movie_id, day, kind):
            append_payloads(lake_root, [of_kind(movie_id, day, kind, f"b{nth:03}")])
        case ("not found", movie_id, day):
            append_failures(lake_root, [failed(movie_id, day, batch_id=f"b{nth}")])
        case ("unavailable", movie_id, day):
            append_failures(lake_root, [failed(movie_id, day, reason="exhausted_retries")])
        case ("drop older", day):
            drop_older(RAW_MOVIES, lake_root, "fetched_at", at(day))
        case ("compact",):
            for table in (RAW_MOVIES, FETCH_FAILURES, *SILVER):
                if (found := open_table(table, lake_root)) is not None:
                    compact(found)
        case ("update",):
            transform(session, lake_root, rebuild=False)


def check_histories(session: Any, new_lake: NewLake, tmp_path: Path, history: list[tuple[Any, ...]]) -> None:
    lake_root = new_lake()
    for nth, step in enumerate(history):
        take(session, lake_root, nth, step)
    update, rebuild = updated_and_rebuilt(session, lake_root, tmp_path / "copy")
    assert update == rebuild


@pytest.mark.chaos
@settings(max_examples=25, deadline=None, database=None, suppress_health_check=SLOW)
@given(history=st.lists(steps, min_size=4, max_size=20))
def test_an_updated_silver_is_one_made_anew_whatever_happened(
    sail: Engine, new_lake: NewLake, tmp_path: Path, history: list[tuple[Any, ...]]
) -> None:
    check_histories(sail.session, new_lake, tmp_path, history)


HISTORIES = {
    "payload-that-is-newer": [("fetch", 1, 2, 1)],
    "payload-that-came-late": [("fetch", 1, 0, 1)],
    "malformed-payload-leaves-the-last-good-one": [("fetch", 1, 2, len(PAYLOADS))],
    "movie-that-is-gone": [("not found", 1, 2)],
    "movie-that-is-back": [("not found", 1, 2), ("update",), ("fetch", 1, 3, 0)],
    "malformed-payload-after-a-movie-was-gone": [("not found", 1, 2), ("update",), ("fetch", 1, 3, 6)],
    "new-movie": [("fetch", 9, 2, 0)],
    "movie-no-more-released": [("fetch", 1, 2, 2)],
    "movie-refused-and-mended": [("fetch", 1, 2, 3), ("update",), ("fetch", 1, 3, 0)],
    "payloads-dropped": [("fetch", 1, 4, 0), ("update",), ("drop older", 3)],
    "last-good-payload-dropped": [("fetch", 1, 4, 6), ("update",), ("drop older", 3)],
    "files-joined": [("fetch", 1, 2, 1), ("compact",), ("update",), ("compact",)],
    "no-news": [("unavailable", 1, 2)],
}


def check_what_happened_since(
    session: Any, lake_root: str, tmp_path: Path, history: list[tuple[Any, ...]]
) -> None:
    transform(session, lake_root, rebuild=False)
    for nth, step in enumerate(history):
        take(session, lake_root, nth, step)
    update, rebuild = updated_and_rebuilt(session, lake_root, tmp_path / "copy")
    assert update == rebuild


@pytest.mark.parametrize("history", [pytest.param(steps, id=name) for name, steps in HISTORIES.items()])
def test_what_happened_since_is_what_is_judged(
    sail: Engine, new_lake: NewLake, tmp_path: Path, history: list[tuple[Any, ...]]
) -> None:
    lake_root = new_lake([of_kind(n, 1, 0) for n in (1, 2, 3)])
    check_what_happened_since(sail.session, lake_root, tmp_path, history)


@pytest.mark.jvm
@pytest.mark.parametrize("dropped", [False, True], ids=["none-dropped", "older-ones-dropped"])
def test_what_happened_to_many_movies_is_judged_on_apache_spark(
    jvm: Engine, new_lake: NewLake, tmp_path: Path, dropped: bool
) -> None:
    """Each history is that of movies of its own; dropping, joining and updating are for all of them."""
    chosen = [history for name, history in HISTORIES.items() if name.endswith("dropped") == dropped]
    histories = [
        [(step[0], step[1] + 100 * place, *step[2:]) if len(step) > 2 else step for step in history]
        for place, history in enumerate(chosen)
    ]
    lake_root = new_lake(
        [of_kind(100 * place + n, 1, 0) for place in range(len(histories)) for n in (1, 2, 3)]
    )
    in_turns = [step for steps in zip_longest(*histories) for step in dict.fromkeys(steps) if step]
    check_what_happened_since(jvm.session, lake_root, tmp_path, in_turns)


def test_only_movies_with_other_raw_rows_are_judged(sail: Engine, new_lake: NewLake) -> None:
    lake_root = new_lake([of_kind(n, 1, 0) for n in range(1, 11)])
    assert transform_facts(sail.session, lake_root, rebuild=False)["judged"] is None
    append_payloads(lake_root, [of_kind(3, 2, 1), of_kind(11, 2, 0)])
    append_failures(lake_root, [failed(5, 2), failed(77, 2)])
    compact(open_table(RAW_MOVIES, lake_root))

    facts = transform_facts(sail.session, lake_root, rebuild=False)

    assert facts["judged"] == 4
    assert (facts["movies"], facts["filtered"]) == (10, {"deleted": 1})


def test_without_changes_nothing_is_committed(sail: Engine, new_lake: NewLake) -> None:
    lake_root = new_lake([of_kind(1, 1, 0)])
    transform(sail.session, lake_root, rebuild=False)
    before = {table.name: open_table(table, lake_root).version() for table in SILVER}

    facts = transform_facts(sail.session, lake_root, rebuild=False)

    assert facts["judged"] == 0
    assert {table.name: open_table(table, lake_root).version() for table in SILVER} == before


@pytest.mark.parametrize("reason", ["many-changes", "other-code", "earlier-files-are-gone", "raw-made-anew"])
def test_silver_is_made_anew_where_an_update_would_not_be_surely_right(
    sail: Engine, new_lake: NewLake, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    lake_root = new_lake([of_kind(n, 1, 0) for n in (1, 2, 3)])
    transform(sail.session, lake_root, rebuild=False)
    append_payloads(lake_root, [of_kind(1, 2, 1)])
    raw = open_table(RAW_MOVIES, lake_root)
    if reason == "many-changes":
        monkeypatch.setattr(transform_stage, "LARGEST_SHARE", 0.2)
    elif reason == "other-code":
        published = replace(find_publication(lake_root, StageName.TRANSFORM), code_version="older")
        monkeypatch.setattr("tests.spark.transforming.find_publication", lambda *_: published)
    elif reason == "earlier-files-are-gone":
        compact(raw)
        raw.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    else:
        rows = raw.to_pyarrow_table()
        shutil.rmtree(RAW_MOVIES.path(lake_root))
        append_payloads(lake_root, rows.to_pylist())

    facts = transform_facts(sail.session, lake_root, rebuild=False)

    assert facts["judged"] is None
    titles = [row["title"] for row in read_silver(lake_root)[SILVER_MOVIES.name]]
    assert titles == ["Moved", "Title 2", "Title 3"]


@pytest.mark.parametrize("commits", [0, 1, 2])
@pytest.mark.parametrize("way", ["replace_rows", "adopt_files"])
def test_an_update_or_rebuild_that_ends_between_two_commits_is_mended_by_the_next(
    sail: Engine, new_lake: NewLake, tmp_path: Path, way: str, commits: int
) -> None:
    lake_root = new_lake([of_kind(n, 1, n % 5) for n in range(1, 7)])
    transform(sail.session, lake_root, rebuild=False)
    append_payloads(lake_root, [of_kind(1, 2, 3), of_kind(2, 2, 0), of_kind(3, 2, 6), of_kind(4, 2, 2)])

    with killed_after(commits, way):
        transform(sail.session, lake_root, rebuild=way == "adopt_files")

    update, rebuild = updated_and_rebuilt(sail.session, lake_root, tmp_path / "copy")
    assert update == rebuild


def test_commits_of_silver_say_where_its_rows_come_from(sail: Engine, new_lake: NewLake) -> None:
    lake_root = new_lake([of_kind(n, 1, n) for n in (1, 2, 3)])
    transform(sail.session, lake_root, rebuild=False)
    made = {table.name: origin_of(table, lake_root) for table in SILVER}
    append_payloads(lake_root, [of_kind(1, 2, 0)])
    transform(sail.session, lake_root, rebuild=False)

    said = {
        "raw_movies_version": "1",
        "raw_fetch_failures_version": "0",
        "code_version": "test",
        "run_id": "",
    }
    assert made == {table.name: said for table in SILVER}
    assert origin_of(SILVER_MOVIES, lake_root) == said | {"raw_movies_version": "2"}
