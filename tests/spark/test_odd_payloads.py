"""No payload, however odd, stops the transform or gets lost."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from movies.lake.tables import QUARANTINE, SILVER_MOVIES
from spark.engines.session import Engine
from tests.spark.lakes import read_rows
from tests.spark.transforming import NewLake, transform

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**25), 10**25),
    st.floats(),
    st.text(max_size=6),
    st.sampled_from(
        ["", " ", "12", "1e400", "2001-02-03", "2001-02-30", "|", "\u0000", "🎬", "NaN", "[]", "{}"]
    ),
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "order", "job", "cast", "crew"]), inner, max_size=3)
    ),
    max_leaves=6,
)
names = st.lists(
    st.none() | st.fixed_dictionaries({}, optional={"name": scalars, "order": scalars}), max_size=3
)
FITTING: dict[str, st.SearchStrategy[Any]] = {
    "title": st.text(min_size=1, max_size=8),
    "status": st.sampled_from(["Released", "Released", "Rumored"]),
    "release_date": st.dates().map(str),
    "budget": st.integers(-5, 10**12),
    "revenue": st.floats(allow_nan=False, allow_infinity=False),
    "vote_count": st.integers(0, 10**6),
    "vote_average": st.floats(0, 10),
    "runtime": st.integers(0, 300).map(float),
    "overview": st.text(max_size=20),
    "genres": names,
    "spoken_languages": names,
    "credits": st.fixed_dictionaries({}, optional={"cast": names, "crew": names}),
}
FIELDS = (*FITTING, "id", "popularity", "tagline", "belongs_to_collection", "production_companies", "unknown")
documents = st.builds(
    lambda fitting, odd, missing: {
        field: value for field, value in (fitting | odd).items() if field not in missing
    },
    st.fixed_dictionaries(FITTING),
    st.dictionaries(st.sampled_from(FIELDS), anything, max_size=2),
    st.sets(st.sampled_from(FIELDS), max_size=2),
)
oddities = st.one_of(documents, documents, documents, anything)
# What a test of an engine does to the time and the fixtures of its examples is meant.
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


def payload_of(movie_id: int, oddity: Any) -> str:
    """A payload of that movie, unless the oddity brings another id or is no object."""
    if isinstance(oddity, dict):
        oddity = {"id": movie_id} | oddity
    return json.dumps(oddity)


@settings(
    max_examples=8,
    deadline=None,
    database=None,
    suppress_health_check=SLOW,
)
@given(batch=st.lists(oddities, min_size=40, max_size=40))
def test_every_payload_ends_in_one_place(sail: Engine, new_lake: NewLake, batch: list[Any]) -> None:
    lake_root = new_lake([(n, payload_of(n, oddity)) for n, oddity in enumerate(batch)])

    counts = transform(sail.session, lake_root)

    kept = [row["id"] for row in read_rows(lake_root, SILVER_MOVIES, by="id")]
    refused = [row["movie_id"] for row in read_rows(lake_root, QUARANTINE, by="movie_id")]
    assert len({*kept, *refused}) == len(kept) + len(refused)
    assert counts.movies == len(kept)
    assert sum(counts.quarantined.values()) == len(refused)
    assert len(batch) == len(kept) + len(refused) + sum(counts.filtered.values())
