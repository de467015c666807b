"""`movies status`: what is in the lake, how fresh it is, what was done last and what is to do."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from cli.app import app
from cli.status import age, describe
from flows.request import MaintainRequest
from movies.lake.arrow import arrow_schema
from movies.lake.commits import Appender
from movies.lake.cursor import move_cursor
from movies.lake.delta import LakeView
from movies.lake.gold_tables import GENRES
from movies.lake.tables import DATA_QUALITY, FETCH_FAILURES, RAW_MOVIES
from movies.report.record import write_record
from movies.settings import LONGEST_AGE_DAYS, load_settings
from stages.lake_status import LONGEST_AGE, LakeStatus, read_status
from stages.report_stage import report_stages
from stages.stage import TableStage
from tests.movies.lake.small_lake import FETCHED_AT, PUBLISHED_AT, make_lake, write

NOW = datetime(2026, 6, 3, 12, 30, tzinfo=UTC)


@pytest.fixture
def output(tmp_path, monkeypatch) -> Path:
    """The output folder of these settings."""
    monkeypatch.setenv("OUTPUT_DIR", str(tmp_path / "output"))
    return tmp_path / "output"


@pytest.fixture
def lake(tmp_path, output) -> str:
    """A lake whose report, plots and dashboard are as they should be."""
    root = make_lake(str(tmp_path / "lake"))
    output.mkdir()
    write_outputs(root, output)
    return root


def write_outputs(lake: str, output: Path, **other_source: str) -> None:
    """Write files in the place of report, plots and dashboard, with records that a lake is their source."""
    for name, part in report_stages(output, "light").items():
        file = output / name
        file.write_text(name)
        made_from = part.find_sources(LakeView(lake))
        assert made_from is not None
        write_record(output, name, made_from | other_source, [file])


def be_made_by(code: str, monkeypatch) -> None:
    monkeypatch.setattr(TableStage, "code", code)


def status(lake: str, now: datetime = NOW, **settings: object) -> LakeStatus:
    return read_status(load_settings(lake_root=lake, **settings), now)


def said(lake: str, now: datetime = NOW, **settings: object) -> list[str]:
    """What is said after the tables."""
    return [line for line in describe(status(lake, now, **settings)) if not line.startswith("  ")][1:]


def land(lake: str, table, batch_id: str, **columns: object) -> None:
    rows = pa.Table.from_pylist([columns | {"batch_id": batch_id}], schema=arrow_schema(table))
    Appender(table, lake, "sandbox").append(rows, batch_id)


def test_movies_are_counted_with_their_age(lake):
    assert said(lake)[:2] == [
        "Movies: 4 here, 1 not at TMDB (0 of them deleted since), none missing",
        "Fetched between 2026-06-01 00:00 (2 days ago) and 2026-06-01 00:00 (2 days ago) (UTC)",
    ]


def test_what_is_kept_longer_than_allowed_is_said(lake):
    later = FETCHED_AT + LONGEST_AGE + timedelta(hours=1)
    assert said(lake, later)[2] == (
        "4 movies fetched more than 180 days ago, longer than TMDB's terms allow. "
        "Run the flow maintain-lake to fetch them again"
    )
    assert status(lake, later - timedelta(hours=1)).movies.stale == 0


def test_the_age_is_that_of_the_upkeep():
    assert MaintainRequest().max_age_days == LONGEST_AGE_DAYS


def test_the_last_runs_are_those_of_the_logs(lake):
    for run, movie_id in (("run-a", 1), ("run-b", 2), ("run-b", 3)):
        land(lake, RAW_MOVIES, f"{run}-00000{movie_id}", movie_id=movie_id, payload="{}", fetched_at=NOW)
    land(lake, FETCH_FAILURES, "run-b-000004", movie_id=4, reason="exhausted_retries", failed_at=NOW)

    found = [(one.run, one.movies, one.failures) for one in status(lake).ingestions]
    assert found == [("run-b", 2, 1), ("run-a", 1, 0)]
    lines = [line[18:] for line in describe(status(lake)) if "ingest" in line or "stage" in line]
    assert lines == [
        "  ingest     2 movies committed, 1 movie could not be fetched",
        "  ingest     1 movie committed",
    ]


def test_stages_are_told_with_what_they_made_and_how_long_ago(lake):
    moment = f"  {PUBLISHED_AT:%Y-%m-%d %H:%M}  "
    lines = [line.removeprefix(moment) for line in describe(status(lake)) if line.startswith(moment)]
    assert lines == [
        "transform  3 movies, 0 filtered, 1 in quarantine (24 hours ago by code old code)",
        "kpis       3 rows in 2 tables (24 hours ago by code old code)",
    ]


def test_the_next_run_does_what_is_not_up_to_date_and_says_why(lake, monkeypatch):
    be_made_by("old code", monkeypatch)
    fetched = {"ingestion_movie_ids": (18, 24, 0)}
    assert said(lake, **fetched)[-1] == "Next run: nothing to do"

    land(lake, RAW_MOVIES, "run-a-000001", movie_id=1, payload="{}", fetched_at=NOW)
    assert said(lake, **fetched)[-1] == "Next run: transform, because raw.movies has changed since version 1"

    write(GENRES, lake, {"genre": "Another's", "movies": 1})
    be_made_by("new code", monkeypatch)
    assert said(lake, ingestion_movie_ids=(18, 603))[-1] == (
        "Next run: fetch 1 movie; transform, because raw.movies has changed since version 1 and its code has "
        "changed; kpis, because its code has changed and its tables are not as published"
    )


def test_outputs_that_are_gone_or_were_made_from_other_tables_are_a_reason_to_run(lake, output, monkeypatch):
    be_made_by("old code", monkeypatch)
    (output / "plots").unlink()
    (output / "dashboard").write_text("changed by hand")

    assert said(lake, ingestion_movie_ids=(18,))[-1] == (
        f"Next run: report, because these are stale in {output}: plots, dashboard"
    )
    assert status(lake, plot_theme="dark").outdated_outputs == ["plots", "dashboard"]


def test_ratings_that_silver_has_not_read_yet_are_a_reason_to_run(lake, monkeypatch):
    be_made_by("old code", monkeypatch)

    assert said(lake, ingestion_movie_ids=(18,), imdb_ratings="ratings.tsv.gz")[-1] == (
        "Next run: transform, because raw.imdb_ratings is now read, too"
    )


def test_gold_that_is_not_published_is_said_beside_what_is(lake):
    write(GENRES, lake, {"genre": "Not yet published", "movies": 1})

    [line] = [line for line in describe(status(lake)) if line.startswith("  gold/genres")]
    assert line.split()[1:3] == ["2", "1"]
    assert line.endswith("  version 2 is not published")
    [absent] = [line for line in describe(status(lake)) if line.startswith("  gold/years")]
    assert absent.split() == ["gold/years", *["–"] * 4]  # noqa: RUF001


def test_what_is_missing_and_how_far_changes_are_followed_is_said(lake):
    land(lake, FETCH_FAILURES, "run-a-000001", movie_id=7, reason="exhausted_retries", failed_at=NOW)
    move_cursor(lake, FETCHED_AT)

    movies, _, changes, *_ = said(lake)
    assert movies.endswith(", 1 missing (exhausted_retries (1))")
    assert changes == "TMDB's changes are processed up to 2026-06-01 00:00 (UTC)"


def test_failed_checks_are_said_with_what_they_do(lake):
    failed = {"status": "failed", "value": 0.5}
    write(
        DATA_QUALITY,
        lake,
        {"check": "budget_floor", "severity": "warning", "limit": "at most 1%", "failing_rows": 2} | failed,
        {"check": "unique_ids", "severity": "error", "limit": "none", "failing_rows": 1} | failed,
        {"check": "movie_count", "severity": "warning", "limit": None, "failing_rows": None} | failed,
        {"check": "identified", "severity": "error", "status": "passed"},
    )

    assert [line for line in said(lake) if line.startswith("Quality")] == [
        "Quality: unique_ids fails of 1 movie (allowed: none): error, gold is not published",
        "Quality: budget_floor fails of 2 movies (allowed: at most 1%): warning",
        "Quality: movie_count fails: warning",
    ]


def test_a_program_gets_it_as_json(lake):
    done = CliRunner().invoke(app, ["status", "--json", "--lake-root", lake])

    found = json.loads(done.stdout)
    assert (done.exit_code, done.stderr) == (0, "")
    assert found["lake"] == lake
    assert found["movies"] == {
        "present": 4,
        "absent": 1,
        "deleted": 0,
        "owed": {},
        "oldest_fetch": "2026-06-01T00:00:00Z",
        "newest_fetch": "2026-06-01T00:00:00Z",
        "stale": found["movies"]["stale"],
    }
    tables = {row["table"]: row["rows"] for row in found["tables"]}
    assert (tables["silver.movies"], tables["gold.years"]) == (3, None)
    assert [stage["stage"] for stage in found["stages"]] == ["transform", "kpis"]


def test_an_empty_lake_says_what_a_run_would_do(tmp_path):
    assert said(str(tmp_path / "nowhere"), ingestion_movie_ids=(18,)) == [
        "Movies: 0 here, 0 not at TMDB (0 of them deleted since), none missing",
        "Next run: fetch 1 movie; transform, because it has published nothing yet; "
        "kpis, because it has published nothing yet",
    ]


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(0), "0 minutes"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=119), "119 minutes"),
        (timedelta(hours=47), "47 hours"),
        (timedelta(days=2), "2 days"),
        (timedelta(seconds=-5), "0 minutes"),
    ],
)
def test_an_age_has_two_or_more_of_its_unit(span, text):
    assert age(span) == text
