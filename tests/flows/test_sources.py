"""Whole ingestions from each source of ids: what they ask for, commit, leave and say."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from deltalake import DeltaTable
from filelock import FileLock

from lake.arrow import arrow_rows
from lake.commits import Appender
from lake.cursor import move_cursor, read_cursor
from lake.inventory import read_inventory
from lake.lock import LOCK_FILE
from lake.tables import FETCH_FAILURES, RAW_MOVIES
from tests.flows.conftest import Place
from tests.flows.test_pipeline import artifacts, counts
from tests.lake.rows import Movie
from tmdb.sandbox.catalogue import load_catalogue

QUICK = {"INGESTION_CONCURRENCY": "20", "INGESTION_REQUESTS_PER_SECOND": "5000"}
INGEST = ("--stage", "ingest")
SYNTHETIC = 300
CATALOGUE = sorted({*load_catalogue(), *range(1, SYNTHETIC + 1)})


@pytest.fixture
def catalogue(served):
    """A server with the catalogue and 300 made-up movies."""
    place, sandbox = served(synthetic=SYNTHETIC, payload_bytes=2048)
    place.environment |= QUICK | {"TMDB_EXPORTS_URL": sandbox.exports_url}
    return place, sandbox


def fill(place: Place, *movie_ids: int, days_ago: float) -> None:
    """Put movies into the lake that were fetched so long ago."""
    at = datetime.now(UTC) - timedelta(days=days_ago)
    source = place.environment["TMDB_BASE_URL"]
    rows = arrow_rows(RAW_MOVIES, [Movie(one, at) for one in movie_ids], batch_id="old", source=source)
    Appender(RAW_MOVIES, place.lake, source).append(rows, "old")


def test_an_export_fills_an_empty_lake_with_the_whole_catalogue_and_then_asks_nothing(catalogue):
    place, sandbox = catalogue

    said = place.succeed(*INGEST, "--source", "export")
    assert place.movie_ids() == CATALOGUE
    assert counts(said)["fetched"] == len(CATALOGUE)

    said = place.succeed(*INGEST, "--source", "export")
    assert counts(said)["already there"] == len(CATALOGUE)
    assert sandbox.stats()["by_kind"] == {"movie": len(CATALOGUE), "export": 2}


def test_discover_takes_tmdbs_filters(catalogue):
    place, _ = catalogue

    place.succeed(
        *INGEST, "--source", "discover", "--filter", "with_genres=878|53", "--filter", "vote_count.gte=9000"
    )

    found = place.rows(RAW_MOVIES, "movie_id", "payload")
    assert 20 < len(found) < 200
    for _, payload in found:
        movie = json.loads(payload)
        assert {878, 53} & {genre["id"] for genre in movie["genres"]} and movie["vote_count"] >= 9000


def test_changes_keep_a_lake_up_to_date_and_the_cursor_moves_with_them(catalogue):
    place, sandbox = catalogue
    fill(place, *CATALOGUE, days_ago=3)
    today = datetime.now(UTC).date()
    changed = [
        movie_id
        for movie_id in CATALOGUE
        if any((movie_id + today.toordinal() - n) % 10 == 0 for n in range(4))
    ]

    place.succeed(*INGEST, "--source", "changes")

    assert place.movie_ids() == sorted([*CATALOGUE, *changed])
    cursor = read_cursor(place.lake)
    assert cursor.followed == cursor.begun
    assert abs(cursor.followed - datetime.now(UTC)) < timedelta(minutes=5)

    # What may change again until midnight is looked at again, and nothing else.
    asked = sandbox.stats()["by_kind"]["movie"]
    place.succeed(*INGEST, "--source", "changes")
    todays = [movie_id for movie_id in CATALOGUE if (movie_id + today.toordinal()) % 10 == 0]
    assert sandbox.stats()["by_kind"]["movie"] - asked == len(todays)
    assert read_cursor(place.lake).followed >= cursor.followed


def test_a_walk_that_was_broken_off_goes_on_without_fetching_anything_again(catalogue):
    place, sandbox = catalogue
    fill(place, *CATALOGUE, days_ago=15)
    place.environment["INGESTION_BATCH_SIZE"] = "20"

    said = place.succeed(*INGEST, "--source", "changes", "--max-requests", "150")
    assert "the 150 requests of this run are spent" in said
    assert counts(said)["left"] == len(CATALOGUE) - counts(said)["fetched"]
    assert read_cursor(place.lake).followed is None, "the cursor waits for the last movie"

    place.succeed(*INGEST, "--source", "changes")
    assert place.movie_ids() == sorted(CATALOGUE * 2)
    assert sandbox.stats()["by_kind"]["movie"] == len(CATALOGUE)
    assert read_cursor(place.lake).followed == read_cursor(place.lake).begun


def test_a_movie_that_cannot_be_had_is_owed_to_the_next_walk(catalogue):
    place, sandbox = catalogue
    fill(place, *CATALOGUE, days_ago=1)
    today = datetime.now(UTC).date()
    changed = [movie_id for movie_id in range(1, SYNTHETIC) if (movie_id + today.toordinal() - 1) % 10 == 0]
    sandbox.set_faults(by_movie={changed[0]: "server_error"})

    done = place.run(*INGEST, "--source", "changes", INGESTION_MAX_RETRIES="1")

    assert done.returncode == 1 and "1 exhausted_retries" in done.stderr
    assert read_inventory(place.lake).owed_by_reason == {"exhausted_retries": 1}
    assert read_cursor(place.lake).followed is not None
    move_cursor(place.lake, datetime.now(UTC) + timedelta(days=1))  # as if no day had to be looked at again

    sandbox.set_faults({})
    place.succeed(*INGEST, "--source", "changes")
    assert str(changed[0]) in sandbox.stats()["by_movie"]
    assert read_inventory(place.lake).owed_by_reason == {}


def test_a_deleted_movie_is_recorded_as_gone_and_not_asked_for_again(catalogue):
    place, sandbox = catalogue
    today = datetime.now(UTC).date()
    deleted = next(one for one in range(10_000_000, 10_000_010) if (one + today.toordinal()) % 10 == 0)
    fill(place, *CATALOGUE, deleted, days_ago=0.5)

    place.succeed(*INGEST, "--movie-ids", str(deleted), "--refresh")

    assert place.rows(FETCH_FAILURES, "movie_id", "reason") == [(deleted, "not_found")]
    asked = sandbox.stats()["requests"]
    said = place.succeed(*INGEST, "--movie-ids", str(deleted))
    assert counts(said)["not found"] == 1
    assert sandbox.stats()["requests"] == asked


def test_minutes_that_are_used_up_end_a_run_at_a_checkpoint(catalogue):
    place, sandbox = catalogue
    sandbox.set_faults(latency_ms=60_000)

    said = place.succeed(*INGEST, "--movie-ids", "1,2,3", "--max-minutes", "0.02")

    assert "the 0.02 minutes of this run are used up; the next run goes on" in said
    assert (counts(said)["fetched"], counts(said)["left"]) == (0, 3)


def test_minutes_may_be_used_up_before_it_is_known_what_to_fetch(catalogue):
    place, sandbox = catalogue
    sandbox.set_faults(latency_ms=60_000)

    said = place.succeed(*INGEST, "--source", "discover", "--max-minutes", "0.02")

    assert "the 0.02 minutes of this run are used up; the next run goes on" in said
    assert counts(said)["asked for"] == 0


@pytest.mark.parametrize(
    ("arguments", "would"),
    [
        (("--source", "export"), f"{len(CATALOGUE) - 2:,} of {len(CATALOGUE):,} movies would be fetched"),
        (("--source", "discover", "--filter", "primary_release_date.lte=1880-01-01"), "0 of 0 movies"),
        (("--source", "changes"), " movies would be fetched"),
    ],
    ids=["export", "discover", "changes"],
)
def test_a_dry_run_of_any_source_fetches_no_movie_and_writes_nothing(arguments, would, catalogue):
    place, sandbox = catalogue
    fill(place, 1, 2, days_ago=0)
    version = DeltaTable(RAW_MOVIES.path(place.lake)).version()

    assert would in place.succeed("--dry-run", *arguments)

    assert "movie" not in sandbox.stats()["by_kind"]
    assert DeltaTable(RAW_MOVIES.path(place.lake)).version() == version


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
    place, sandbox = served(synthetic=400, payload_bytes=2048, faults={"latency_ms": 100})
    # As in an object store, where there are no locks: each run knows the lake by another name.
    names = [place.folder / "one", place.folder / "other"]
    (place.folder / "tables").mkdir()
    for name in names:
        name.mkdir()
        (name / "raw").symlink_to(place.folder / "tables")
    place.environment["INGESTION_BATCH_SIZE"] = "20"
    arguments = (*INGEST, "--movie-ids", ",".join(map(str, range(1, 401))))

    runs = [
        place.start(*arguments, LAKE_ROOT=str(name), INGESTION_REQUESTS_PER_SECOND="2000") for name in names
    ]
    for run in runs:
        run.communicate()

    assert [run.returncode for run in runs] == [0, 0]
    place.environment["LAKE_ROOT"] = str(names[0])
    assert place.movie_ids() == list(range(1, 401))
    assert sandbox.stats()["requests"] > 400, "they did run at the same time"


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


def test_an_ingestion_tells_its_numbers_as_an_event(catalogue, prefect_api):
    place, _ = catalogue
    place.succeed(*INGEST, "--movie-ids", "1,2,0", INGESTION_MAX_RETRIES="0")

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
        "requests": 3, "retries": 0, "errors": {}, "commits": 1, "seconds": 0, "movies_per_second": 0,
        "followed": None,
    }  # fmt: skip


def test_a_lake_moved_elsewhere_goes_on_with_its_cursor(catalogue):
    place, _ = catalogue
    fill(place, 1, days_ago=0)
    place.succeed(*INGEST, "--source", "changes")
    cursor = read_cursor(place.lake)

    shutil.copytree(place.lake, place.folder / "moved")

    assert read_cursor(str(place.folder / "moved")) == cursor
