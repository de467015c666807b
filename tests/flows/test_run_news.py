"""What an ingestion tells of itself in Prefect: artifacts and events."""

from __future__ import annotations

import json

import httpx
import pytest
from deltalake import DeltaTable

from movies.lake.tables import RAW_MOVIES
from movies.sandbox.movie_catalogue import load_catalogue
from tests.flows.test_pipeline import artifacts
from tests.flows.test_sources import INGEST, QUICK


@pytest.mark.slow
def test_hundreds_of_batches_are_as_many_tasks_and_commits(served):
    place, _ = served(synthetic=220, payload_bytes=1024)

    place.succeed(
        *INGEST, "--movie-ids", ",".join(map(str, range(1, 221))), INGESTION_BATCH_SIZE="1", **QUICK
    )

    assert place.movie_ids() == list(range(1, 221))
    assert DeltaTable(RAW_MOVIES.path(place.lake)).version() == 220


def test_news_in_payloads_are_told_once_a_run_as_artifact_and_kept_verbatim(served, tmp_path, prefect_api):
    movie = json.loads(load_catalogue()[597])
    payloads = [json.dumps(movie | {"id": n, "vote_pulse": 0.5, "budget": "1000"}) for n in range(1, 31)]
    (tmp_path / "payloads.ndjson").write_text("\n".join(payloads))
    place, _ = served(payloads=tmp_path / "payloads.ndjson")

    place.succeed(*INGEST, "--movie-ids", ",".join(map(str, range(1, 31))), **QUICK)

    assert [payload for _, payload in place.rows(RAW_MOVIES, "movie_id", "payload")] == payloads
    drift = json.loads(artifacts(prefect_api)["schema-drift"])
    assert [{**row, "first_movie_id": None} for row in drift] == [
        dict(zip(("field", "expected", "found", "movies", "first_movie_id"), row, strict=True))
        for row in (
            ("budget", "number", "string", 30, None),
            ("vote_pulse", "no such key", "number", 30, None),
        )
    ]
    assert all(1 <= row["first_movie_id"] <= 30 for row in drift)


@pytest.mark.slow
def test_an_ingestion_tells_its_numbers_as_an_event(served, prefect_api):
    place, _ = served()
    place.succeed(*INGEST, "--movie-ids", "18,24,0", INGESTION_MAX_RETRIES="0")

    def events() -> list[dict]:
        names = {"filter": {"event": {"name": ["tmdb-movies.ingestion.ended"]}}}
        found = httpx.post(f"{prefect_api}/events/filter", json=names, trust_env=False).json()["events"]
        return [
            event["payload"] for event in found if event["resource"]["prefect.resource.name"] == place.lake
        ]

    while not (told := events()):
        pass
    assert told[0] | {"seconds": 0, "movies_per_second": 0} == {
        "asked": 3, "fetched": 2, "present": 0, "not_found": 1, "failed": {}, "failed_total": 0, "left": 0,
        "not_followed": 0,
        "requests": 3, "retries": 0, "errors": {}, "commits": 1, "seconds": 0, "movies_per_second": 0,
        "followed": None,
    }  # fmt: skip
