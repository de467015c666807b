"""What Prefect shows of a run: its name, the message of its state, whether it was tried again, its log."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient

from flows import run_names
from flows.states import shorten_own_error
from movies.forecast.forecast_errors import NoForecastError
from movies.lake.cursor import move_cursor
from movies.lake.tables import FETCH_FAILURES
from movies.settings import SANDBOX_SOURCE
from tasks.run_logs import RedactingFormatter
from tests.flows.deployed import run_deployment
from tests.flows.test_forecast import publish_silver
from tests.flows.test_request import PARAMETERS_0_1_0
from tests.movies.forecast.movies import generate
from tests.movies.lake.rows import Movie, append_movies

BAD_KEY = "TMDB does not accept the key: check TMDB_API_KEY or TMDB_ACCESS_TOKEN"


@pytest.mark.slow
def test_what_a_retry_cannot_mend_is_final_and_one_sentence_in_states_and_log(served) -> None:
    place, _ = served()

    done = run_deployment(place, "movie-pipeline", {"movie_ids": [603, 604]}, TMDB_API_KEY="wrong-key")

    assert done.run.run_count == 1
    assert [child.run_count for child in done.children] == [1]
    assert {run.name for run in (done.run, *done.children)} == {"2 ids"}
    messages = {run.state.message for run in (done.run, *done.children) if run.state is not None}
    assert len(messages) == 1
    assert messages.pop().startswith(BAD_KEY)
    assert BAD_KEY in done.log
    assert "Traceback" not in done.log
    assert "Traceback" in (place.folder / "output" / "logs" / "project.log").read_text()


@pytest.mark.slow
def test_a_folder_that_refuses_is_named_in_the_state_and_not_tried_again(served) -> None:
    # Nothing can be made there, not even by root.
    place, _ = served()

    done = run_deployment(place, "ingest-movies", {"movie_ids": [603]}, OUTPUT_DIR="/sys/out")

    assert done.run.run_count == 1
    name, message = done.states["1 id"]
    assert name == "Failed"
    assert (message or "").startswith("/sys cannot be used: ")
    assert (message or "").endswith(", or choose another folder")
    assert "Traceback" not in done.log


@pytest.mark.slow
def test_movies_of_another_source_than_the_lakes_are_final_and_one_sentence(served) -> None:
    place, sandbox = served()
    append_movies(place.lake, [Movie(603)], SANDBOX_SOURCE)

    done = run_deployment(place, "ingest-movies", {"movie_ids": [604]})

    assert done.run.run_count == 1
    assert done.states == {
        "1 id": (
            "Failed",
            f"The lake at {place.lake} holds movies from sandbox, and this run would add some from "
            f"{sandbox.base_url}. Choose another LAKE_ROOT.",
        )
    }
    assert "Traceback" not in done.log
    assert place.movie_ids() == [603]


@pytest.mark.slow
def test_what_a_retry_may_mend_is_tried_again_and_its_state_is_one_sentence(served) -> None:
    place, _ = served(synthetic=10, faults={"by_movie": {7: "missing_credits"}})

    done = run_deployment(place, "ingest-movies", {"movie_ids": [6, 7]}, INGESTION_MAX_RETRIES="0")

    assert done.run.run_count == 2
    assert done.states == {
        "2 ids": (
            "Failed",
            "1 of 2 movies could not be fetched (1 invalid_payload). See the table raw/fetch_failures; "
            "the next run tries them again",
        )
    }
    assert "Traceback" not in done.log
    assert place.rows(FETCH_FAILURES, "movie_id") == [7, 7]


@pytest.mark.slow
def test_a_forecast_of_too_few_movies_is_completed_and_says_how_many_there_are(place) -> None:
    publish_silver(place.lake, generate(18))

    done = run_deployment(place, "forecast-revenue", {"holdout_years": 2})

    assert done.states == {"2 years held back": ("Completed", "15 of the 200 movies it needs")}
    assert "here 15 movies have both" in done.log


def test_runs_of_the_command_line_say_what_ran_and_what_became_of_it(first_run, prefect_api) -> None:
    with SyncPrefectClient(prefect_api) as client:
        runs = client.read_flow_runs(limit=200)
    found = {(run.name, run.state.message) for run in runs if run.state is not None}

    assert {
        ("19 ids", "18 movies, all new, 1 not found, 18 in silver"),
        ("19 ids", "18 movies, all new, 1 not found"),
        ("transform, kpis, report", "18 in silver"),
    } <= found


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"movie_ids": [603, 604, 603]}, "2 ids"),
        ({}, "19 ids"),
        ({"movie_ids_file": Path("/data/weekly.txt")}, "ids of weekly.txt"),
        ({"source": "export", "filters": {"min_popularity": "5"}}, "export, popularity ≥ 5"),
        ({"source": "discover", "filters": {"with_genres": "18"}}, "discover, with_genres=18"),
        ({"source": "changes"}, "changes"),
        ({"source": "changes", "filters": {"since": "2026-11-29"}}, "changes since 2026-11-29"),
        ({"stages": ["ingest", "transform"], "movie_ids": [1]}, "1 id: ingest, transform"),
        ({"stages": ["report"]}, "report"),
        ({"movie_ids": [603], "refresh": True}, "1 id, all again"),
        ({"as_of_version": 7}, "as of version 7"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_run_is_named_by_its_parameters(given, name, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run_names.runtime.flow_run, "parameters", PARAMETERS_0_1_0 | given, raising=False)

    assert run_names.name_pipeline() == name


def test_a_run_that_follows_changes_is_named_by_the_day_it_goes_on_from(tmp_path, monkeypatch) -> None:
    move_cursor(str(tmp_path), datetime(2026, 11, 29, 7, tzinfo=UTC))
    given = {"source": "changes", "lake_root": str(tmp_path)}
    monkeypatch.setattr(run_names.runtime.flow_run, "parameters", given, raising=False)

    assert run_names.name_ingestion() == "changes since 2026-11-29"


def test_a_run_keeps_the_name_it_has_where_none_can_be_made(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INGESTION_CONCURRENCY", "many")
    monkeypatch.setattr(run_names.runtime.flow_run, "parameters", PARAMETERS_0_1_0, raising=False)
    monkeypatch.setattr(run_names.runtime.flow_run, "name", "zealous-vole", raising=False)

    assert run_names.name_pipeline() == "zealous-vole"


def test_a_stack_trace_of_an_own_error_goes_into_the_files_alone() -> None:
    records: list[logging.LogRecord] = []
    logger = logging.Logger("of a test")
    logger.addFilter(shorten_own_error)
    logger.addHandler(handler := logging.Handler())
    handler.emit = records.append  # type: ignore[method-assign]
    try:
        raise NoForecastError("Movie 7 is not in silver")
    except NoForecastError as error:
        logger.exception("Encountered exception during execution: %r", error)

    assert logging.Formatter().format(records[0]) == "Movie 7 is not in silver"
    in_file = RedactingFormatter(()).format(records[0])
    assert "Movie 7 is not in silver\nTraceback (most recent call last):" in in_file
    assert in_file.endswith("movies.forecast.forecast_errors.NoForecastError: Movie 7 is not in silver")
