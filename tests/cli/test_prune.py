"""`movies prune`: which runs go from Prefect, and what goes with them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prefect.client.schemas.objects import StateType
from prefect.settings import PREFECT_API_URL, PREFECT_LOCAL_STORAGE_PATH, temporary_settings
from typer.testing import CliRunner

import tasks.pruning
from cli.app import app
from tasks.caching import RESULTS_FOLDER
from tasks.pruning import FLOWS, KEPT_DAYS, KEPT_PICTURES
from tests.flows.prefect_runs import Api
from tests.places import PROJECT_ROOT

OLD = "runs older than 90 days, with "
KEPT = "Kept 1 older run whose artifacts are the latest of their kind."
OTHERS = f"Runs of other flows than {', '.join(FLOWS)} stay as they are."


@pytest.fixture
def api(prefect_api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.setenv("PREFECT_API_URL", prefect_api)
    with temporary_settings({PREFECT_API_URL: prefect_api, PREFECT_LOCAL_STORAGE_PATH: tmp_path}):
        yield Api(prefect_api)


def prune(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["prune", *arguments])
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout


def test_old_runs_of_our_flows_go_with_their_artifacts_and_logs_and_others_stay(api: Api) -> None:
    old = [
        api.add_run("movie-pipeline", 91, "prune-report"),
        api.add_run("ingest-movies", 200, "prune-progress"),
        # Its process was killed, and no automation noticed.
        api.add_run("maintain-lake", 91, "prune-report", "RUNNING"),
    ]
    shown = api.add_run("refresh-analytics", 300, "prune-plot")
    other = api.add_run("another-flow", 300, "prune-other")
    new = [
        api.add_run("movie-pipeline", 89, "prune-report"),
        api.add_run("ingest-movies", 1, "prune-progress"),
    ]
    everything = dict.fromkeys([*old, shown, other, *new], (1, 2))

    done, kept = f"3 {OLD}3 artifacts and their logs.\n", f"{KEPT}\n{OTHERS}\n"
    assert prune("--dry-run") == f"Would delete {done}{kept}"
    assert api.left_of(*everything) == everything

    assert prune() == f"Deleted {done}{kept}"
    assert api.left_of(*everything) == dict.fromkeys([shown, other, *new], (1, 2))

    api.add_run("refresh-analytics", 0, "prune-plot")
    assert prune() == f"Deleted 1 run older than 90 days, with 1 artifact and their logs.\n{OTHERS}\n"
    assert api.left_of(*everything) == dict.fromkeys([other, *new], (1, 2))


@pytest.mark.slow
def test_nothing_is_left_of_old_runs_and_their_parts_in_whatever_state(api: Api) -> None:
    old = []
    for state in StateType:
        run = api.add_run("movie-pipeline", 91, "prune-any", state)
        task = api.add_task(run, "prune-any")
        part = api.add_run("refresh-analytics", 91, "prune-any", state, parent_task_run_id=task)
        old += [run, part]
    newer = api.add_run("movie-pipeline", 89, "prune-any")
    task = api.add_task(newer, "prune-any")

    prune()

    assert api.left_of(*old, newer) == {newer: (2, 3)}
    assert api.tasks_of(*old, newer) == [task]


def test_of_pictures_the_newest_versions_stay_and_all_versions_of_anything_else(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.pruning, "PICTURES_PAGE", 2)
    run, others = (
        api.add_run("refresh-analytics", 1, "prune-run"),
        api.add_run("another-flow", 1, "prune-run"),
    )
    pictures = [f"![words](data:image/png;base64,AAAA{number})" for number in range(KEPT_PICTURES + 5)]
    words = [f"words {number}" for number in range(KEPT_PICTURES + 1)]
    for of, key, versions in (
        (run, "prune-picture", pictures),
        (others, "prune-anothers-picture", pictures),
        (run, "prune-words", words),
    ):
        for data in versions:
            api.add_artifact(key, data, flow_run_id=of)
    said = "5 pictures of newer runs: the newest 3 versions of each stay.\n"

    assert f"Would delete {said}" in prune("--dry-run")
    assert api.versions("prune-picture") == pictures[::-1]
    assert f"Deleted {said}" in prune()

    assert api.versions("prune-picture") == pictures[: -KEPT_PICTURES - 1 : -1]
    assert api.versions("prune-anothers-picture") == pictures[::-1]
    assert api.versions("prune-words") == words[::-1]
    assert "picture" not in prune()


def test_old_cached_results_of_our_tasks_go_and_those_of_others_stay(api: Api, tmp_path: Path) -> None:
    ours = tmp_path / RESULTS_FOLDER
    ours.mkdir()
    files = {name: tmp_path / name for name in (f"{RESULTS_FOLDER}/old", f"{RESULTS_FOLDER}/new", "other")}
    for path in files.values():
        path.touch()
    old = (datetime.now(UTC) - timedelta(days=91)).timestamp()
    for name in (f"{RESULTS_FOLDER}/old", "other"):
        os.utime(files[name], (old, old))

    assert "Would delete 1 cached result as old.\n" in prune("--dry-run")
    assert all(path.exists() for path in files.values())
    assert "Deleted 1 cached result as old.\n" in prune()
    assert [name for name, path in files.items() if path.exists()] == [f"{RESULTS_FOLDER}/new", "other"]


def test_without_an_api_that_answers_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    monkeypatch.setenv("PREFECT_CLIENT_MAX_RETRIES", "0")
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:1/api"}):
        done = CliRunner().invoke(app, ["prune"])

    assert (done.exit_code, done.stderr) == (
        1,
        "Error: Prefect's API at http://127.0.0.1:1/api does not answer (ConnectError: All connection "
        "attempts failed). Start that server, set PREFECT_API_URL to another one, or unset it to run with "
        "a temporary one\n",
    )


def test_the_flows_whose_runs_are_pruned_are_all_that_there_are() -> None:
    sources = (path.read_text(encoding="utf-8") for path in (PROJECT_ROOT / "flows").glob("*.py"))
    names = [name for source in sources for name in re.findall(r'@flow\([^)]*name="([^"]+)"', source)]

    assert sorted(FLOWS) == sorted(names)


def test_the_command_keeps_runs_as_long_as_maintenance_does() -> None:
    assert f"[default: {KEPT_DAYS}]" in CliRunner().invoke(app, ["prune", "--help"]).stdout
