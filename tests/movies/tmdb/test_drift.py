import gzip
import json

import msgspec
import pytest

from movies.tmdb.answers import read_movie
from movies.tmdb.drift import MOST_FINDINGS, Drift, FieldDrift


def observe(drift: Drift, movie_id: int, **fields: object) -> None:
    payload = {"id": movie_id, "credits": {"cast": []}} | fields
    read_movie(movie_id, msgspec.json.encode(payload), drift)


def test_unknown_keys_and_other_types_are_counted_with_an_example():
    drift = Drift()

    observe(drift, 1, tagline="", vote_pulse=0.5)
    observe(drift, 2, vote_pulse=None, budget="1000")
    observe(drift, 3, vote_pulse=0.1, runtime=None)

    assert drift.findings == [
        FieldDrift("vote_pulse", "no such key", "number", movies=2, first_movie_id=1),
        FieldDrift("budget", "number", "string", movies=1, first_movie_id=2),
        FieldDrift("vote_pulse", "no such key", "null", movies=1, first_movie_id=2),
    ]


def test_a_payload_of_nonsense_fills_no_memory():
    drift = Drift()

    observe(drift, 1, **{f"key {number}": number for number in range(10 * MOST_FINDINGS)})

    assert len(drift.findings) == MOST_FINDINGS


@pytest.mark.parametrize("name", ["tmdb_18_payloads"])
def test_what_tmdb_sends_today_is_no_news(name, shared_data):
    drift = Drift()
    with gzip.open(shared_data / "data" / f"{name}.ndjson.gz") as lines:
        for line in lines:
            read_movie(json.loads(line)["id"], line, drift)

    assert drift.findings == []
