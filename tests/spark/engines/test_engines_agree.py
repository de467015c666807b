"""Every engine makes the same tables of the same payloads, to the last value."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from movies.lake.tables import DATA_QUALITY, SILVER
from spark.checks import run_checks
from spark.checks.check_run import CHECKED_COLUMNS
from spark.engines.session import CONNECT_MODE, Engine
from spark.kpis import compute_kpis, read_movies
from spark.payloads import NAME_LISTS, NUMBERS, TEXTS
from tests.spark.lakes import Rows, read_rows
from tests.spark.test_odd_payloads import SLOW, oddities, payload_of
from tests.spark.transforming import LakeOf, NewLake, Outcomes, transform

Made = tuple[Outcomes, dict[str, Rows]]

TODAY = dt.date(2026, 11, 25)
MISSING = object()
VALUES = (
    MISSING, None, True, "", " \u00a0", "text", "96.0", " 7 ", "0x10", "2001-02-03", "2001-02-30",
    "\uff11\uff12", "七人の侍", "🎬|\u0000", "a" * 5_000, 0, -0.0, -1, 7, 1.5, 96.0, 10**18, 10**25, 1e100,
    -5e-324, math.inf, math.nan, [], {}, [None], [[]], ["x"], [{"name": None}],
    [{"name": "A|B", "order": "2", "job": "Director"}, {"name": 5, "order": -1}],
    {"name": "N", "cast": [{"name": "Z", "order": 3}, {"name": "Y"}], "crew": [{"name": "D"}]},
)  # fmt: skip
FIELDS = (*TEXTS, *NUMBERS, *NAME_LISTS, "release_date", "belongs_to_collection", "credits")


@pytest.fixture(params=[pytest.param("jvm", marks=pytest.mark.jvm)])
def other(request: pytest.FixtureRequest, sail_engine: Engine) -> Engine:
    """Each engine besides the embedded one; the other tests have that one hold against the reference."""
    found: Engine = request.getfixturevalue(request.param)
    return found


def grid() -> Iterator[tuple[int, str]]:
    """A good movie for each field and odd value, with the one in the place of the other."""
    movie_id = 0
    for field in FIELDS:
        for value in VALUES:
            movie_id += 1
            movie = {
                "id": movie_id, "title": f"Movie {movie_id}", "status": "Released",
                "release_date": f"{1930 + movie_id % 97}-{1 + movie_id % 12:02}-01",
                "budget": movie_id * 1_000_003, "revenue": movie_id * 7_000_001, "vote_count": movie_id,
                "vote_average": movie_id % 97 / 10, "popularity": movie_id / 7, "runtime": 90,
                "genres": [{"name": "Drama"}, {"name": f"Genre {movie_id % 5}"}],
                "credits": {"crew": [{"name": f"D{movie_id % 40}", "job": "Director"}]},
            }  # fmt: skip
            movie.pop(field, None)
            if value is not MISSING:
                movie[field] = value
            yield movie_id, json.dumps(movie)


def tables_of(engine: Engine, lake_root: str, *, only_silver: bool = False) -> dict[str, Rows]:
    """All tables that are made from the raw ones, or only silver's."""
    silver = {table.name: read_rows(lake_root, table, by=next(iter(table.columns))) for table in SILVER}
    if only_silver:
        return silver
    checks = run_checks(read_movies(engine.session, lake_root, None, CHECKED_COLUMNS), None, TODAY)
    silver[DATA_QUALITY.name] = checks.to_arrow().to_pylist()
    return silver | {
        name: table.to_pylist() for name, table in compute_kpis(engine.session, lake_root).items()
    }


def differences(name: str, ours: Rows, theirs: Rows) -> list[Any]:
    """The first values that differ; gold's floats may have been added up in another order."""
    if len(ours) != len(theirs):
        return [(name, len(ours), len(theirs))]
    return [
        (name, nth, column, value, theirs[nth][column])
        for nth, row in enumerate(ours)
        for column, value in row.items()
        if value != theirs[nth][column] and not _is_near(name, value, theirs[nth][column])
    ][:5]


def check_same(ours: Made, theirs: Made) -> None:
    """Compare what two engines made: what became of the movies, and all tables."""
    (our_counts, our_tables), (their_counts, their_tables) = ours, theirs
    assert our_counts == their_counts
    assert our_tables.keys() == their_tables.keys()
    differing = [differences(name, rows, their_tables[name]) for name, rows in our_tables.items()]
    assert [difference for some in differing for difference in some] == []


def _is_near(name: str, one: Any, other: Any) -> bool:
    floats = isinstance(one, float) and isinstance(other, float)
    return floats and not name.startswith("silver/") and math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-9)


@contextmanager
def building_for(engine: Engine) -> Iterator[None]:
    """Have PySpark's functions build expressions for an engine."""
    with pytest.MonkeyPatch.context() as patch:
        if engine.name.startswith("local"):
            patch.delenv(CONNECT_MODE, raising=False)
        else:
            patch.setenv(CONNECT_MODE, "1")
        yield


def check_agreement(
    sail: Engine,
    other: Engine,
    new_lake: NewLake,
    payloads: list[tuple[int, str]],
    *,
    only_silver: bool = False,
) -> None:
    """Have both engines make the tables of lakes of their own, and compare them."""
    found = {}
    for engine in (other, sail):
        with building_for(engine):
            lake_root = new_lake(payloads)
            counts = transform(engine.session, lake_root)
            found[engine.name] = counts, tables_of(engine, lake_root, only_silver=only_silver)
    check_same(found[sail.name], found[other.name])


def test_every_field_with_every_odd_value(sail_engine: Engine, other: Engine, new_lake: NewLake) -> None:
    check_agreement(sail_engine, other, new_lake, list(grid()))


@seed(6)  # nothing to reproduce, and shrinking takes minutes
@settings(
    max_examples=3,
    phases=[Phase.generate],
    deadline=None,
    database=None,
    suppress_health_check=[*SLOW, HealthCheck.large_base_example],
)
@given(batch=st.lists(oddities, min_size=100, max_size=100))
def test_generated_payloads(sail_engine: Engine, other: Engine, new_lake: NewLake, batch: list[Any]) -> None:
    payloads = [(n, payload_of(n, oddity)) for n, oddity in enumerate(batch)]
    check_agreement(sail_engine, other, new_lake, payloads, only_silver=True)


def test_real_payloads(sail_engine: Engine, other: Engine, transformed_lake: LakeOf) -> None:
    found = {}
    for engine in (other, sail_engine):
        with building_for(engine):
            lake_root, counts = transformed_lake(engine, "tmdb_sample_1601")
            found[engine.name] = counts, tables_of(engine, lake_root)
    check_same(found[sail_engine.name], found[other.name])
