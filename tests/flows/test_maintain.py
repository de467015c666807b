"""The flows that deployments run by themselves: `maintain-lake`, and `ingest-movies` without a pipeline."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

from deltalake import DeltaTable

from lake.arrow import arrow_rows
from lake.commits import Appender
from lake.tables import FETCH_FAILURES, RAW_MOVIES
from tests.flows.conftest import MAIN, Place, clean_environment
from tests.lake.rows import Movie

QUICK = {"INGESTION_CONCURRENCY": "20", "INGESTION_REQUESTS_PER_SECOND": "1000", "INGESTION_MAX_RETRIES": "1"}


def run_flow(place: Place, statement: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a flow in a process of its own, as a worker does."""
    imports = (
        "import asyncio\nfrom flows.ingest import ingest_movies\nfrom flows.maintain import maintain_lake\n"
    )
    return subprocess.run(
        [sys.executable, "-c", f"{imports}asyncio.run({statement})"],
        cwd=place.folder,
        env=clean_environment()
        | place.environment
        | QUICK
        | environment
        | {"PYTHONPATH": str(MAIN.parents[1])},
        capture_output=True,
        text=True,
        timeout=120,
    )


def keep_old_movies(place: Place, *movie_ids: int) -> None:
    """Put movies into the lake that were fetched seven months ago."""
    old = datetime.now(UTC) - timedelta(days=210)
    source = place.environment["TMDB_BASE_URL"]
    rows = arrow_rows(RAW_MOVIES, [Movie(one, old) for one in movie_ids], batch_id="old", source=source)
    Appender(RAW_MOVIES, place.lake, source).append(rows, "old")


def test_movies_older_than_six_months_are_fetched_again_and_tables_packed(served):
    place, sandbox = served(synthetic=60)
    assert run_flow(place, "ingest_movies(list(range(1, 41)))", INGESTION_BATCH_SIZE="10").returncode == 0
    keep_old_movies(place, 41, 42, 43)
    asked = sandbox.stats()["requests"]

    done = run_flow(place, "maintain_lake()")

    assert done.returncode == 0, done.stderr
    assert sandbox.stats()["requests"] == asked + 3
    assert place.movie_ids() == sorted([*range(1, 44), 41, 42, 43])
    assert len(DeltaTable(RAW_MOVIES.path(place.lake)).file_uris()) == 1

    version = DeltaTable(RAW_MOVIES.path(place.lake)).version()
    assert run_flow(place, "maintain_lake()").returncode == 0
    assert sandbox.stats()["requests"] == asked + 3
    assert DeltaTable(RAW_MOVIES.path(place.lake)).version() == version


def test_upkeep_is_done_though_the_refresh_cannot_be_and_the_run_fails(served):
    place, sandbox = served(synthetic=60)
    keep_old_movies(place, 1, 2)
    keep_old_movies(place, 3)
    sandbox.stop()

    done = run_flow(place, "maintain_lake()")

    assert done.returncode == 1
    assert "UnreachableError" in done.stderr
    assert place.movie_ids() == [1, 2, 3]
    assert len(DeltaTable(RAW_MOVIES.path(place.lake)).file_uris()) == 1


def test_maintenance_leaves_everything_unchanged_for_the_pipeline(served):
    place, _ = served()
    place.succeed()

    assert run_flow(place, "maintain_lake()").returncode == 0

    assert "Unchanged" in place.succeed(SPARK_MASTER="sc://127.0.0.1:9")


def test_an_empty_lake_is_maintained_at_once(served):
    place, sandbox = served()

    done = run_flow(place, "maintain_lake()")

    assert done.returncode == 0, done.stderr
    assert sandbox.stats()["requests"] == 0


def test_an_ingestion_by_itself_fails_where_movies_are_owed(served):
    place, _ = served(synthetic=10, faults={"by_movie": {7: "missing_credits"}})

    done = run_flow(place, "ingest_movies([6, 7, 8])")

    assert done.returncode == 1
    assert "IncompleteIngestionError: 1 of 3 movies could not be fetched" in done.stderr
    assert place.movie_ids() == [6, 8]
    assert place.rows(FETCH_FAILURES, "movie_id", "reason") == [(7, "invalid_payload")]
