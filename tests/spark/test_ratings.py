"""Silver with IMDb's ratings, with others, and without: an update is always silver made anew."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from movies.lake import data_files as files
from movies.lake.delta import create, open_table
from movies.lake.snapshots import Snapshot, replace_by_file
from movies.lake.tables import FILTERED, IMDB_RATINGS, QUARANTINE, RATED_MOVIES, SILVER_MOVIES
from movies.lake.upkeep import compact
from spark.engines.session import Engine
from stages import transform_stage
from tests.spark.lakes import FETCHED_AT, append_failures, append_payloads, read_rows
from tests.spark.test_updates import FULL, Killed, at, days, movie_ids
from tests.spark.transforming import transform, transform_facts

NewLake = Callable[..., str]
Ratings = Mapping[str, tuple[float, int]]

SCHEMA = pa.schema({"imdb_id": pa.string(), "rating": pa.float64(), "votes": pa.int64()})
IDS = [f"tt{n:07}" for n in range(1, 5)]
# As payloads may write them.
WRITTEN = (f" {IDS[0]}\n", IDS[1].upper(), f"https://www.imdb.com/title/{IDS[2]}/", IDS[3])
# A movie without an id, with one of IMDb's, sometimes of another movie's; malformed and refused ones.
PAYLOADS = (
    *(lambda n, imdb_id=imdb_id: {"imdb_id": imdb_id} for imdb_id in (None, "", *WRITTEN)),
    lambda n: {"imdb_id": IDS[0], "budget": "x"},
    lambda n: {"imdb_id": 7},
    None,
)


@pytest.fixture(autouse=True)
def always_merging(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes are merged however few movies there are."""
    monkeypatch.setattr(transform_stage, "LARGEST_SHARE", 1.0)


def fetched(movie_id: int, day: int, kind: int, batch: str = "b") -> dict[str, Any]:
    made = PAYLOADS[kind]
    payload = {"id": movie_id, "title": f"Title {movie_id}", "release_date": "2001-02-03"}
    text = "{" if made is None else json.dumps(FULL | payload | made(movie_id))
    return {"movie_id": movie_id, "payload": text, "fetched_at": at(day), "batch_id": batch}


def rate(lake_root: str, ratings: Ratings) -> None:
    rows = [{"imdb_id": name, "rating": rating, "votes": votes} for name, (rating, votes) in ratings.items()]
    told = Snapshot("ratings.tsv", "", repr(sorted(ratings.items())), "", len(rows))
    constants = {"fetched_at": FETCHED_AT, "batch_id": "b", "source": "ratings.tsv"}
    batch = pa.RecordBatch.from_pylist(rows, schema=SCHEMA)
    replace_by_file(IMDB_RATINGS, lake_root, [batch], constants, lambda: told)


def contents(lake_root: str) -> dict[str, Any]:
    """All rows of silver's tables, and the columns that its movies have."""
    found = open_table(SILVER_MOVIES, lake_root)
    columns = {field.name: field.type.type for field in found.schema().fields}
    movies = RATED_MOVIES if "imdb_id" in columns else SILVER_MOVIES
    assert columns == {name: column.type for name, column in movies.columns.items()}
    return {
        "movies": read_rows(lake_root, movies, by="id"),
        **{table.name: read_rows(lake_root, table, by="movie_id") for table in (QUARANTINE, FILTERED)},
    }


def updated_and_rebuilt(session: Any, lake_root: str, tmp_path: Path, rated: bool) -> tuple[Any, Any]:
    """Silver as an update leaves it, beside silver as made anew from the same raw tables in a new lake."""
    copy = tmp_path / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(Path(lake_root) / "raw", copy / "raw")
    update = transform(session, lake_root, rebuild=False, rated=rated), contents(lake_root)
    return update, (transform(session, str(copy), rated=rated), contents(str(copy)))


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
    lake_root = new_lake([fetched(n, 1, n + 1) for n in range(1, 5)])
    create(IMDB_RATINGS, lake_root)
    for nth, step in enumerate(history):
        match step:
            case ("fetch", movie_id, day, kind):
                append_payloads(lake_root, [fetched(movie_id, day, kind, f"b{nth:03}")])
            case ("rate", ratings):
                rate(lake_root, ratings)
            case ("gone", movie_id, day):
                append_failures(lake_root, [{"movie_id": movie_id, "failed_at": at(day)}])
            case ("compact",):
                compact(open_table(SILVER_MOVIES, lake_root))
            case ("update", is_rated):
                transform(session, lake_root, rebuild=False, rated=is_rated)
    update, rebuild = updated_and_rebuilt(session, lake_root, tmp_path, rated)
    assert update == rebuild


SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
histories = st.lists(steps, min_size=4, max_size=10)


@pytest.mark.long
@settings(max_examples=6, deadline=None, database=None, suppress_health_check=SLOW)
@given(history=histories, rated=st.sampled_from([True, True, False]))
def test_a_silver_with_ratings_that_come_change_and_go_is_one_made_anew(
    sail: Engine, new_lake: NewLake, tmp_path: Path, history: list[tuple[Any, ...]], rated: bool
) -> None:
    check_history(sail.session, new_lake, tmp_path, history, rated)


@pytest.mark.chaos
@settings(max_examples=8, deadline=None, database=None, suppress_health_check=SLOW)
@given(history=st.lists(steps, min_size=6, max_size=20), rated=st.booleans())
def test_long_histories_of_ratings_leave_the_silver_that_is_made_anew(
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
    lake_root = new_lake([fetched(n, 1, n) for n in range(5)])
    rate(lake_root, {IDS[0]: (7.7, 3), IDS[2]: (1.0, 1), "tt9999999": (5.0, 5)})

    facts = transform_facts(sail.session, lake_root, rebuild=False, rated=True)

    columns = ("id", "imdb_id", "imdb_rating", "imdb_votes")
    assert [tuple(row[name] for name in columns) for row in contents(lake_root)["movies"]] == [
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
    lake_root = new_lake([fetched(n, 1, n + 1) for n in range(1, 5)])
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
    lake_root = new_lake([fetched(1, 1, 2)])
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
    lake_root = new_lake([fetched(n, 1, n + 1) for n in range(1, 5)])
    rate(lake_root, {})
    transform(sail.session, lake_root, rebuild=False, rated=True)
    rate(lake_root, dict.fromkeys(IDS, (7.7, 3)))

    facts = transform_facts(sail.session, lake_root, rebuild=False, rated=True)

    assert (facts["judged"], facts["rated"]) == (None, 4)


@pytest.mark.long
@pytest.mark.parametrize(("rated", "commits"), [(True, 0), (True, 1), (False, 1), (False, 2)])
def test_a_switch_that_ends_between_two_commits_is_mended_by_the_next_run(
    sail: Engine,
    new_lake: NewLake,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    rated: bool,
    commits: int,
) -> None:
    lake_root = new_lake([fetched(n, 1, n) for n in range(1, 9)])
    rate(lake_root, dict.fromkeys(IDS, (7.7, 3)))
    transform(sail.session, lake_root, rebuild=False, rated=not rated)
    commit, done = files.adopt_files, iter(range(commits))

    def end_after(*arguments: Any) -> Any:
        if next(done, None) is None:
            raise Killed
        return commit(*arguments)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(files, "adopt_files", end_after)
        transform(sail.session, lake_root, rebuild=False, rated=rated)

    update, rebuild = updated_and_rebuilt(sail.session, lake_root, tmp_path, rated)
    assert update == rebuild
