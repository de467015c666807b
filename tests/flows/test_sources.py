"""Whole ingestions from each source of ids: what they ask for, commit, leave and say."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from deltalake import DeltaTable

from movies.lake.cursor import move_cursor, read_cursor
from movies.lake.inventory import read_inventory
from movies.lake.tables import RAW_MOVIES
from movies.sandbox.movie_catalogue import load_catalogue
from tests.flows.test_pipeline import counts
from tests.movies.lake.rows import Movie, append_movies
from tests.places import Place

QUICK = {"INGESTION_CONCURRENCY": "20", "INGESTION_REQUESTS_PER_SECOND": "5000"}
INGEST = ("--stage", "ingest")
SYNTHETIC = 300
CATALOGUE = sorted({*load_catalogue(), *range(1, SYNTHETIC + 1)})


def fill(place: Place, *movie_ids: int, days_ago: float) -> None:
    """Put movies into the lake that were fetched so long ago."""
    at = datetime.now(UTC) - timedelta(days=days_ago)
    append_movies(place.lake, [Movie(one, at) for one in movie_ids], place.environment["TMDB_BASE_URL"])


@pytest.fixture
def catalogue(served):
    """A server with the catalogue and 300 made-up movies."""
    # The day is given, or there would be no daily file yet in the small hours.
    place, sandbox = served(synthetic=SYNTHETIC, payload_bytes=2048, today=datetime.now(UTC).date())
    place.environment |= QUICK | {"TMDB_EXPORTS_URL": sandbox.exports_url}
    return place, sandbox


def test_an_export_fills_an_empty_lake_with_the_whole_catalogue_and_then_asks_nothing(catalogue):
    place, sandbox = catalogue

    said = place.succeed(*INGEST, "--source", "export")
    assert place.movie_ids() == CATALOGUE
    assert counts(said)["fetched"] == len(CATALOGUE)

    said = place.succeed(*INGEST, "--source", "export")
    assert counts(said)["already there"] == len(CATALOGUE)
    assert sandbox.stats()["by_kind"] == {"movie": len(CATALOGUE), "export": 2}


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "requested"), [(("--movie-ids", "1,2,3"), 3), (("--source", "discover"), 0)]
)
def test_minutes_that_are_used_up_end_a_run_also_before_it_is_known_what_to_fetch(
    arguments, requested, catalogue
):
    place, sandbox = catalogue
    sandbox.set_faults(latency_ms=60_000)

    said = place.succeed(*INGEST, *arguments, "--max-minutes", "0.02")

    assert "the 0.02 minutes of this run are used up; the next run goes on" in said
    found = counts(said)
    assert (found["requested"], found["fetched"], found.get("left", 0)) == (requested, 0, requested)


@pytest.mark.slow
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
