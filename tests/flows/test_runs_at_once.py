"""Several runs at the same time, on one lake or on lakes of their own."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from filelock import FileLock

from movies.lake.lock import LOCK_FILE
from tests.flows.test_pipeline import counts
from tests.flows.test_sources import INGEST, QUICK, fill
from tests.places import await_requests

pytestmark = pytest.mark.chaos


def test_a_run_waits_for_another_and_then_fetches_only_what_that_one_has_not(served):
    place, sandbox = served(synthetic=400, payload_bytes=2048)
    Path(place.lake).mkdir()
    other = FileLock(Path(place.lake) / LOCK_FILE)

    with other:
        run = place.start(*INGEST, "--movie-ids", ",".join(map(str, range(1, 401))), **QUICK)
        for line in run.stdout:
            if "Another run is fetching into" in line:
                break
        fill(place, *range(1, 301), days_ago=0)
        assert sandbox.stats()["requests"] == 0
    said, error = run.communicate()

    assert (run.returncode, error) == (0, "")
    assert (counts(said)["already there"], counts(said)["fetched"]) == (300, 100)
    assert place.movie_ids() == list(range(1, 401))
    assert sandbox.stats()["requests"] == 100


def test_runs_without_a_common_lock_still_commit_each_movie_once(served):
    place, sandbox = served(synthetic=200, payload_bytes=2048, faults={"latency_ms": 100})
    # As in an object store, where there are no locks: each run knows the lake by another name.
    names = [place.folder / "one", place.folder / "other"]
    (place.folder / "tables").mkdir()
    for name in names:
        name.mkdir()
        (name / "raw").symlink_to(place.folder / "tables")
    place.environment["INGESTION_BATCH_SIZE"] = "20"
    place.environment["INGESTION_REQUESTS_PER_SECOND"] = "2000"
    arguments = (*INGEST, "--movie-ids", ",".join(map(str, range(1, 201))))

    # The first holds movies that it has not committed yet when the other looks into the lake.
    first = place.start(*arguments, LAKE_ROOT=str(names[0]))
    await_requests(sandbox, 50, first)
    first.send_signal(signal.SIGSTOP)
    other = place.start(*arguments, LAKE_ROOT=str(names[1]))
    await_requests(sandbox, sandbox.stats()["requests"] + 20, other)
    first.send_signal(signal.SIGCONT)
    for run in (first, other):
        run.communicate()

    assert (first.returncode, other.returncode) == (0, 0)
    place.environment["LAKE_ROOT"] = str(names[0])
    assert place.movie_ids() == list(range(1, 201))
    assert sandbox.stats()["requests"] > 200, "both have fetched some movies"


def test_runs_on_lakes_of_their_own_keep_to_one_ceiling_together(served):
    place, sandbox = served(synthetic=200, payload_bytes=1024)
    arguments = (*INGEST, "--movie-ids", ",".join(map(str, range(1, 201))))
    place.environment |= {"INGESTION_REQUESTS_PER_SECOND": "50", "INGESTION_CONCURRENCY": "20"}

    lakes = [str(place.folder / name) for name in ("one", "other")]
    runs = [place.start(*arguments, LAKE_ROOT=lake, OUTPUT_DIR=lake) for lake in lakes]
    for run in runs:
        run.communicate()

    assert [run.returncode for run in runs] == [0, 0]
    stats = sandbox.stats()
    assert stats["requests"] == 400
    # A busy machine delays what was in time; each with a ceiling of its own, they would come to 100.
    assert 25 < stats["max_per_second"] <= 65
