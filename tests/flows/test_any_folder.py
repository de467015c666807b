"""Whole runs in folders of odd names, and in lakes that have lost files."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.app import app
from movies.lake.delta import open_table
from movies.lake.gold_tables import GENRES
from movies.lake.integrity import damaged_files, files_of
from movies.lake.tables import RAW_MOVIES, SILVER_MOVIES
from tests.movies.lake.small_lake import make_lake
from tests.places import PROJECT_ROOT

IN_A_CHECKOUT = "Filme für Ödön 100% #1's"
ELSEWHERE = "out [b] %20 ü"


@pytest.mark.slow
def test_a_checkout_a_temporary_folder_and_an_output_of_odd_names_hold_a_whole_run(place, tmp_path):
    checkout, temporary, output = (tmp_path / name for name in (IN_A_CHECKOUT, "tmp %41 [a]", ELSEWHERE))
    checkout.mkdir()
    temporary.mkdir()
    for name in ("flows", "movies", "spark", "tasks"):
        (checkout / name).symlink_to(PROJECT_ROOT / name)
    (checkout / "pyproject.toml").write_bytes((PROJECT_ROOT / "pyproject.toml").read_bytes())

    there = replace(place, folder=checkout, command=(sys.executable, "flows/main.py"))

    said = [there.succeed("--output-dir", str(output), TMPDIR=str(temporary)) for _ in range(2)]

    assert "Unchanged" in said[1]
    assert (output / "dashboard.html").is_file()
    assert open_table(SILVER_MOVIES, str(checkout / "data" / "sandbox")) is not None
    assert list(temporary.iterdir()) == []


def test_a_lake_of_a_name_that_delta_mistakes_is_refused_before_anything_is_fetched(place):
    done = place.run("--lake-root", "a%20b")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: Delta tables cannot be stored in ")
    assert [path.name for path in place.folder.iterdir()] == []


@pytest.mark.long
def test_a_run_makes_whole_what_has_lost_files_and_fetches_lost_payloads_again(place):
    place.succeed("--movie-ids", "597")
    place.succeed()
    before = {table.name: place.rows(table, "id") for table in (SILVER_MOVIES,)}
    genres, payloads = place.rows(GENRES, "genre", "movies"), place.movie_ids()
    for tables in ((RAW_MOVIES, GENRES), (SILVER_MOVIES,)):
        for table in tables:
            path = Path(place.lake, table.name, max(files_of(open_table(table, place.lake))))
            path.write_bytes(path.read_bytes()[:-7])
        place.succeed("--movie-ids", "597")

    assert place.movie_ids() == payloads
    assert place.rows(SILVER_MOVIES, "id") == before[SILVER_MOVIES.name]
    assert place.rows(GENRES, "genre", "movies") == genres
    assert [damaged_files(open_table(table, place.lake)) for table in (RAW_MOVIES, SILVER_MOVIES)] == [[], []]


def test_status_and_queries_say_which_table_has_lost_files_and_what_rebuilds_it(tmp_path):
    lake = make_lake(str(tmp_path / "lake"))
    path = Path(lake, SILVER_MOVIES.name, min(files_of(open_table(SILVER_MOVIES, lake))))
    path.unlink()

    status = CliRunner().invoke(app, ["status", "--lake-root", lake])
    shown = CliRunner().invoke(app, ["show", "silver.movies", "--lake-root", lake])

    assert (status.exit_code, shown.exit_code) == (0, 1)
    [line] = [line for line in status.stdout.splitlines() if line.startswith("  silver/movies ")]
    assert f"1 file missing or torn: {path.relative_to(Path(lake, SILVER_MOVIES.name))}" in line
    assert "transform, because" in status.stdout
    assert "files of silver.movies are missing or torn" in status.stdout.splitlines()[-1]
    assert "Run `movies run`, which rebuilds it." in shown.stderr
    raw = Path(lake, RAW_MOVIES.name, min(files_of(open_table(RAW_MOVIES, lake))))
    raw.unlink()
    again = CliRunner().invoke(app, ["status", "--lake-root", lake])
    assert (again.exit_code, again.stdout) == (1, "")
    assert "Run `movies run`, which fetches its movies again." in again.stderr


def test_a_dry_run_takes_no_lost_files_out_of_a_lake(tmp_path):
    lake = make_lake(str(tmp_path / "lake"))
    raw = open_table(RAW_MOVIES, lake)
    Path(lake, RAW_MOVIES.name, min(files_of(raw))).unlink()

    done = CliRunner().invoke(app, ["run", "--dry-run", "--lake-root", lake, "--output-dir", str(tmp_path)])

    assert done.exit_code == 1
    assert "Run `movies run`, which fetches its movies again." in done.stderr
    assert open_table(RAW_MOVIES, lake).version() == raw.version()
