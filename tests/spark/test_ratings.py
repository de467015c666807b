"""Silver with IMDb's ratings, with others, and without: an update is always silver made anew."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movies.lake import data_files as files
from movies.lake.delta import create, open_table
from movies.lake.snapshots import Snapshot, replace_by_file
from movies.lake.tables import FILTERED, IMDB_RATINGS, QUARANTINE, SILVER_MOVIES
from movies.lake.upkeep import compact
from spark.engines.session import Engine
from stages import transform_stage
from tests.spark.lakes import (
    FETCHED_AT,
    append_failures,
    append_payloads,
    failed,
    fetched,
    payload,
    read_silver,
)
from tests.spark.test_odd_payloads import SLOW
from tests.spark.test_updates import days, movie_ids
from tests.spark.transforming import NewLake, killed_after, transform, transform_facts, updated_and_rebuilt

pytestmark = pytest.mark.usefixtures("always_merging")

Ratings = Mapping[str, tuple[float, int]]

SCHEMA = pa.schema({"imdb_id": pa.string(), "rating": pa.float64(), "votes": pa.int64()})
IDS = [f"tt{n:07}" for n in range(1, 5)]
# As payloads may write them.
WRITTEN = (f" {IDS[0]}\n", IDS[1].upper(), f"https://www.imdb.com/title/{IDS[2]}/", IDS[3])
# A movie without an id, with one of IMDb's, sometimes of another movie's; malformed and refused ones.
PAYLOADS = (
    *({"imdb_id": imdb_id} for imdb_id in (None, "", *WRITTEN)),
    {"imdb_id": IDS[0], "budget": "x"},
    {"imdb_id": 7},
    None,
)


def of_kind(movie_id: int, day: int, kind: int, batch_id: str = "b") -> dict[str, Any]:
    changed = PAYLOADS[kind]
    return fetched(movie_id, "{" if changed is None else payload(movie_id, **changed), day, batch_id)


def rate(lake_root: str, ratings: Ratings) -> None:
    rows = [{"imdb_id": name, "rating": rating, "votes": votes} for name, (rating, votes) in ratings.items()]
    told = Snapshot("ratings.tsv", "", repr(sorted(ratings.items())), "", len(rows))
    constants = {"fetched_at": FETCHED_AT, "batch_id": "b", "source": "ratings.tsv"}
    batch = pa.RecordBatch.from_pylist(rows, schema=SCHEMA)
    replace_by_file(IMDB_RATINGS, lake_root, [batch], constants, lambda: told)


votes = st.integers(1, 3)
some_ratings = st.dictionaries(st.sampled_from(IDS), st.tuples(st.sampled_from([1.0, 7.7, 10.0]), votes))
steps = st.one_of(
    st.tuples(st.just("fetch"), movie_ids, days, st.integers(0, len(PAYLOADS) - 1)),
    st.tuples(st.just("rate"), some_ratings),
    st.tuples(st.just("rate"), some_ratings),
    st.tuples(st.just("gone"), movie_ids, days),
    st.just(("compact",)),
    st.tuples(st.just("update"), st.sampled_from([True, True, True, False])),
)


def check_history(
    session: Any, new_lake: NewLake, tmp_path: Path, history: list[tuple[Any, ...]], rated: bool
) -> None:
    lake_root = new_lake([of_kind(n, 1, n + 1) for n in range(1, 5)])
    create(IMDB_RATINGS, lake_root)
    for nth, step in enumerate(history):
        match step:
            case ("fetch", movie_id, day, kind):
                append_payloads(lake_root, [of_kind(movie_id, day, kind, f"b{nth:03}")])
            case ("rate", ratings):
                rate(lake_root, ratings)
            case ("gone", movie_id, day):
                append_failures(lake_root, [failed(movie_id, day)])
            case ("compact",):
                compact(open_table(SILVER_MOVIES, lake_root))
            case ("update", is_rated):
                transform(session, lake_root, rebuild=False, rated=is_rated)
    update, rebuild = updated_and_rebuilt(session, lake_root, tmp_path / "copy", rated=rated)
    assert update == rebuild


@pytest.mark.chaos
@settings(max_examples=12, deadline=None, database=None, suppress_health_check=SLOW)
@given(history=st.lists(steps, min_size=4, max_size=20), rated=st.sampled_from([True, True, False]))
def test_a_silver_with_ratings_that_come_change_and_go_is_one_made_anew(
    sail: Engine, new_lake: NewLake, tmp_path: Path, history: list[tuple[Any, ...]], rated: bool
) -> None:
    check_history(sail.session, new_lake, tmp_path, history, rated)


HISTORIES = {
    "switched-on": [("update", False), ("rate", {IDS[0]: (7.7, 3)})],
    "another-rating": [("rate", {IDS[0]: (7.7, 3)}), ("update", True), ("rate", {IDS[0]: (7.8, 3)})],
    "other-votes": [("rate", {IDS[0]: (7.7, 3)}), ("update", True), ("rate", {IDS[0]: (7.7, 4)})],
    "a-rating-that-went": [("rate", {IDS[0]: (7.7, 3), IDS[1]: (1.0, 1)}), ("update", True), ("rate", {})],
    "a-rating-that-came": [("rate", {}), ("update", True), ("rate", {IDS[2]: (7.7, 3)})],
    "both-changed": [
        ("rate", {IDS[0]: (7.7, 3), IDS[1]: (1.0, 1)}),
        ("update", True),
        ("rate", {IDS[0]: (10.0, 9), IDS[1]: (1.0, 2)}),
        ("fetch", 1, 2, 3),
    ],
    "a-malformed-payload-and-another-rating": [
        ("rate", {IDS[0]: (7.7, 3)}),
        ("update", True),
        ("fetch", 1, 2, len(PAYLOADS) - 1),
        ("update", True),
        ("rate", {IDS[0]: (7.8, 3)}),
    ],
}


@pytest.mark.long
@pytest.mark.parametrize("history", [pytest.param(steps, id=name) for name, steps in HISTORIES.items()])
def test_what_happened_to_ratings_since_is_what_silver_has(
    sail: Engine, new_lake: NewLake, tmp_path: Path, history: list[tuple[Any, ...]]
) -> None:
    check_history(sail.session, new_lake, tmp_path, history, rated=True)


@pytest.mark.jvm
def test_what_happened_to_ratings_is_what_silver_has_on_apache_spark(
    jvm: Engine, new_lake: NewLake, tmp_path: Path
) -> None:
    check_history(jvm.session, new_lake, tmp_path, HISTORIES["both-changed"], rated=True)


def test_switched_off_silver_is_what_it_would_have_been_without(
    engine: Engine, new_lake: NewLake, tmp_path: Path
) -> None:
    history = [("rate", {IDS[0]: (7.7, 3)}), ("update", True)]
    check_history(engine.session, new_lake, tmp_path, history, rated=False)


def test_movies_get_the_rating_of_their_imdb_id_and_null_where_there_is_none(
    sail: Engine, new_lake: NewLake
) -> None:
    lake_root = new_lake([of_kind(n, 1, n) for n in range(5)])
    rate(lake_root, {IDS[0]: (7.7, 3), IDS[2]: (1.0, 1), "tt9999999": (5.0, 5)})

    facts = transform_facts(sail.session, lake_root, rebuild=False, rated=True)

    columns = ("id", "imdb_id", "imdb_rating", "imdb_votes")
    assert [tuple(row[name] for name in columns) for row in read_silver(lake_root)[SILVER_MOVIES.name]] == [
        (0, None, None, None),
        (1, None, None, None),
        (2, IDS[0], 7.7, 3),
        (3, IDS[1], None, None),
        (4, IDS[2], 1.0, 1),
    ]
    assert (facts["movies"], facts["rated"]) == (5, 2)


def test_only_movies_with_another_rating_are_rated_anew_and_no_payload_is_judged(
    sail: Engine, new_lake: NewLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake_root = new_lake([of_kind(n, 1, n + 1) for n in range(1, 5)])
    rate(lake_root, dict.fromkeys(IDS, (7.7, 3)))
    transform(sail.session, lake_root, rebuild=False, rated=True)
    rate(lake_root, dict.fromkeys(IDS, (7.7, 3)) | {IDS[1]: (7.7, 4)})
    replaced: list[Any] = []
    replace_rows = files.replace_rows

    def note(table: Any, root: str, keys: Any, *rest: Any) -> Any:
        replaced.append((table.name, keys.to_pylist()))
        return replace_rows(table, root, keys, *rest)

    monkeypatch.setattr(files, "replace_rows", note)
    facts = transform_facts(sail.session, lake_root, rebuild=False, rated=True)

    assert facts["judged"] == 0
    assert replaced == [(SILVER_MOVIES.name, [2]), (QUARANTINE.name, []), (FILTERED.name, [])]


def test_ratings_of_other_titles_need_no_engine_and_commit_nothing(sail: Engine, new_lake: NewLake) -> None:
    lake_root = new_lake([of_kind(1, 1, 2)])
    rate(lake_root, {IDS[0]: (7.7, 3)})
    transform(sail.session, lake_root, rebuild=False, rated=True)
    before = open_table(SILVER_MOVIES, lake_root).version()
    rate(lake_root, {IDS[0]: (7.7, 3), IDS[1]: (5.0, 5)})

    facts = transform_facts(None, lake_root, rebuild=False, rated=True)

    assert (facts["judged"], open_table(SILVER_MOVIES, lake_root).version()) == (0, before)


@pytest.mark.slow
def test_more_ratings_than_fit_into_memory_have_silver_made_anew(
    sail: Engine, new_lake: NewLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transform_stage, "MOST_RATED", 1)
    lake_root = new_lake([of_kind(n, 1, n + 1) for n in range(1, 5)])
    rate(lake_root, {})
    transform(sail.session, lake_root, rebuild=False, rated=True)
    rate(lake_root, dict.fromkeys(IDS, (7.7, 3)))

    facts = transform_facts(sail.session, lake_root, rebuild=False, rated=True)

    assert (facts["judged"], facts["rated"]) == (None, 4)


@pytest.mark.long
@pytest.mark.parametrize(("rated", "commits"), [(True, 0), (True, 1), (False, 1), (False, 2)])
def test_a_switch_that_ends_between_two_commits_is_mended_by_the_next_run(
    sail: Engine, new_lake: NewLake, tmp_path: Path, rated: bool, commits: int
) -> None:
    lake_root = new_lake([of_kind(n, 1, n) for n in range(1, 9)])
    rate(lake_root, dict.fromkeys(IDS, (7.7, 3)))
    transform(sail.session, lake_root, rebuild=False, rated=not rated)

    with killed_after(commits, "adopt_files"):
        transform(sail.session, lake_root, rebuild=False, rated=rated)

    update, rebuild = updated_and_rebuilt(sail.session, lake_root, tmp_path / "copy", rated=rated)
    assert update == rebuild
