"""Whole runs with IMDb's ratings beside TMDB's movies, over real sockets."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from movies.lake.delta import open_table
from movies.lake.snapshots import read_snapshot
from movies.lake.tables import IMDB_RATINGS, RATED_MOVIES, SILVER_MOVIES
from movies.sandbox import Sandbox
from tests.flows.test_pipeline import NO_ENGINE, counts
from tests.movies.imdb.files import write_ratings
from tests.places import Place

MOVIES = ("--movie-ids", "19995,597,18", "--stage", "ingest", "--stage", "transform")
AVATAR, TITANIC, FIFTH_ELEMENT = "tt0499549", "tt0120338", "tt0119116"
ATTRIBUTION = "Information courtesy of IMDb (https://www.imdb.com). Used with permission."


def columns(place: Place) -> list[str]:
    return [field.name for field in open_table(SILVER_MOVIES, place.lake).schema().fields]


def ratings(place: Place) -> list[tuple[int, str, float | None, int | None]]:
    rows: list[tuple[int, str, float | None, int | None]] = place.rows(
        RATED_MOVIES, "id", "imdb_id", "imdb_rating", "imdb_votes"
    )
    return rows


@pytest.fixture
def rated(served) -> tuple[Place, Sandbox, Path]:
    """A place that has its ratings from a file: one of two of its movies, and one of a movie it has not."""
    place, sandbox = served()
    file = write_ratings(
        place.folder / "title.ratings.tsv.gz", [(AVATAR, 7.9, 100), (TITANIC, 7.8, 200), ("tt0000001", 5, 9)]
    )
    place.environment["IMDB_RATINGS"] = str(file)
    return place, sandbox, file


@pytest.mark.slow
def test_a_run_with_imdbs_file_from_a_server_says_what_it_rated_and_then_is_unchanged(served):
    place, sandbox = served()
    place.environment["IMDB_RATINGS"] = sandbox.ratings_url
    stages = (*("--stage", "ingest"), *("--stage", "transform"), *("--stage", "kpis"))

    said = place.succeed(*stages)

    assert "  in IMDb's file ...        65  (new)" in said
    assert "  IMDb ratings .....        18  (of 18 movies)" in said
    assert ATTRIBUTION in said
    assert columns(place) == list(RATED_MOVIES.columns)
    version = open_table(IMDB_RATINGS, place.lake).version()

    said = place.succeed(*stages, **NO_ENGINE)

    assert "Unchanged" in said and "  in IMDb's file ...        65  (unchanged)" in said
    assert sandbox.stats()["by_kind"] == {"movie": 19, "ratings": 2}
    assert open_table(IMDB_RATINGS, place.lake).version() == version


@pytest.mark.slow
def test_ratings_that_change_go_and_are_switched_off_are_what_silver_has(rated):
    place, sandbox, file = rated
    said = place.succeed(*MOVIES)
    assert "  IMDb ratings .....         2  (of 3 movies)" in said
    assert ratings(place) == [
        (18, FIFTH_ELEMENT, None, None),
        (597, TITANIC, 7.8, 200),
        (19995, AVATAR, 7.9, 100),
    ]

    write_ratings(file, [(AVATAR, 7.9, 101), (FIFTH_ELEMENT, 7.6, 5)])
    said = place.succeed(*MOVIES)
    assert "(new)" in said and "Unchanged" not in said
    assert ratings(place) == [
        (18, FIFTH_ELEMENT, 7.6, 5),
        (597, TITANIC, None, None),
        (19995, AVATAR, 7.9, 101),
    ]

    said = place.succeed(*MOVIES, "--imdb-ratings", "")
    assert columns(place) == list(SILVER_MOVIES.columns)
    assert "IMDb" not in said

    said = place.succeed(*MOVIES, "--imdb-ratings", str(file), IMDB_RATINGS="")
    assert [row[1:] for row in ratings(place)][-1] == (AVATAR, 7.9, 101)
    assert sandbox.stats()["requests"] == 3


@pytest.mark.slow
def test_a_file_that_was_only_touched_changes_nothing(rated):
    place, _, file = rated
    place.succeed(*MOVIES)
    os.utime(file, (1, 1))

    assert "Unchanged" in place.succeed(*MOVIES)

    assert read_snapshot(IMDB_RATINGS, place.lake).mark.endswith(f" of {10**9}")


@pytest.mark.slow
def test_a_run_that_is_killed_between_ratings_and_silver_is_mended_by_the_next(rated):
    place, _, file = rated
    place.succeed(*MOVIES)
    write_ratings(file, [(AVATAR, 8.0, 1000)])
    place.succeed("--movie-ids", "19995,597,18", "--stage", "ingest")
    killer = place.folder / "sitecustomize.py"
    killer.write_text(
        "import os, signal, sys\n"
        "import movies.lake.data_files\n"
        "movies.lake.data_files.replace_rows = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(__file__).parents[2]
    done = place.run(*MOVIES, PYTHONPATH=f"{place.folder}{os.pathsep}{root}")
    assert done.returncode == -signal.SIGKILL
    assert ratings(place)[-1] == (19995, AVATAR, 7.9, 100)

    place.succeed(*MOVIES)

    assert ratings(place) == [
        (18, FIFTH_ELEMENT, None, None),
        (597, TITANIC, None, None),
        (19995, AVATAR, 8.0, 1000),
    ]
    assert "Unchanged" in place.succeed(*MOVIES)


@pytest.mark.slow
def test_what_is_no_file_of_ratings_leaves_those_from_before_and_fails_the_run_at_its_end(rated):
    place, _, file = rated
    place.succeed(*MOVIES)
    before = open_table(IMDB_RATINGS, place.lake).version()
    file.write_text("<html>\n")

    done = place.run("--movie-ids", "19995,597,18,24", "--stage", "ingest", "--stage", "transform")

    assert done.returncode == 1
    assert "line 1: this is not a file of IMDb's ratings, which begins with tconst" in done.stderr
    assert "The earlier ratings stay, and the next run tries again" in done.stderr
    assert counts(done.stdout)["IMDb ratings"] == 2
    assert "(from an earlier run)" in done.stdout
    assert open_table(IMDB_RATINGS, place.lake).version() == before
    assert place.rows(SILVER_MOVIES, "id") == [18, 24, 597, 19995]


@pytest.mark.slow
def test_without_ratings_from_before_a_bad_file_stops_the_run_when_the_movies_are_in(served):
    place, sandbox = served()

    done = place.run(*MOVIES, IMDB_RATINGS=f"{sandbox.exports_url}/nothing")

    assert done.returncode == 1
    assert "/nothing could not be fetched: HTTP status 404" in done.stderr
    assert place.movie_ids() == [18, 597, 19995]
    assert open_table(SILVER_MOVIES, place.lake) is None

    done = place.run("--stage", "transform", IMDB_RATINGS=f"{sandbox.exports_url}/nothing")
    assert "There are no IMDb ratings in" in done.stderr and "run the stage 'ingest'" in done.stderr
