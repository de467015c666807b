"""`movies sql` as a user has it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import psutil
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from cli.app import app
from tests.docs.pages import ROOT
from tests.movies.lake.test_sql import CROSS_JOIN

GENRES = "SELECT genre, movies FROM gold.genres ORDER BY genre"
CSV = '"genre","movies"\n"Action",2\n"Crime",1\n'


def ask(lake: str, *arguments: str, given: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["sql", *arguments, "--lake-root", lake], input=given)


def test_a_query_answers_in_csv_where_there_is_no_terminal(lake):
    done = ask(lake, GENRES)
    assert (done.exit_code, done.stdout, done.stderr) == (0, CSV, "")


def test_formulas_are_escaped_in_csv_where_that_is_asked_for(lake):
    done = ask(lake, "SELECT '=1+1' AS title", "--escape-formulas")
    assert (done.exit_code, done.stdout) == (0, '"title"\n"\'=1+1"\n')


def test_a_query_comes_from_a_file_or_from_standard_input(lake, tmp_path):
    (tmp_path / "genres.sql").write_text(f"-- all\n{GENRES};\n")

    assert ask(lake, "--file", str(tmp_path / "genres.sql")).stdout == CSV
    assert ask(lake, "-", given=GENRES).stdout == CSV


def test_a_table_says_how_many_rows_it_leaves_out(lake):
    done = ask(lake, GENRES, "--format", "table", "--limit", "1")
    assert done.stdout == (
        "genre   movies\n──────────────\nAction       2\n1 row, and 1 more. Get all with --limit 2\n"
    )
    done = ask(lake, "SELECT n FROM generate_series(1, 103) AS t(n)", "--format", "table")
    assert done.stdout.splitlines()[-2:] == ["100", "100 rows, and 3 more. Get all with --limit 103"]
    assert ask(lake, GENRES, "--format", "table").stdout.splitlines()[-1] == "2 rows"


def test_what_a_limit_leaves_out_of_data_is_said_beside_them(lake):
    done = ask(lake, GENRES, "--limit", "1")
    assert (done.stdout, done.stderr) == (
        '"genre","movies"\n"Action",2\n',
        "1 row, and 1 more. Get all with --limit 2\n",
    )


@pytest.mark.parametrize("name", ["out.parquet", "out.json"])
def test_a_file_is_written_whole_in_the_format_of_its_name(name, lake, tmp_path):
    done = ask(lake, GENRES, "--output", str(tmp_path / name))

    assert (done.exit_code, done.stdout) == (0, f"2 rows in {tmp_path / name}\n")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    rows = (
        pq.read_table(tmp_path / name).to_pylist()
        if name.endswith("parquet")
        else json.loads((tmp_path / name).read_text())
    )
    assert rows == [{"genre": "Action", "movies": 2}, {"genre": "Crime", "movies": 1}]


def test_a_query_that_fails_midway_leaves_the_old_file(lake, tmp_path):
    (tmp_path / "out.csv").write_text("old")

    done = ask(
        lake,
        "SELECT CASE n WHEN 90000 THEN error('late') END FROM range(99999) AS t(n)",
        *("--output", str(tmp_path / "out.csv")),
    )

    assert (done.exit_code, done.stderr) == (2, "Error: The query cannot be answered: late.\n")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("out.csv", "old")]


def test_how_a_query_would_be_answered_is_laid_out(lake):
    done = ask(lake, "EXPLAIN SELECT 1", "--format", "table")
    assert done.stdout.startswith("┌─")


def test_an_older_version_is_read_on_request(lake):
    done = ask(lake, "SELECT count(*) AS n FROM silver.movies", "--version", "silver.movies=0")
    assert (done.exit_code, done.stdout) == (0, '"n"\n0\n')


def test_a_query_that_takes_too_long_is_stopped(lake):
    done = ask(lake, CROSS_JOIN, "--timeout", "0.1")
    assert (done.exit_code, done.stdout, done.stderr) == (
        1,
        "",
        "Error: The query has taken longer than 0.1 s. Raise --timeout, or ask for less.\n",
    )


def test_ctrl_c_stops_a_query_at_once(lake):
    command = [sys.executable, "-m", "cli", "sql", CROSS_JOIN, "--lake-root", lake]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as query:
        # Until it computes, on more than one core.
        while sum(psutil.Process(query.pid).cpu_times()[:2]) < 8:
            time.sleep(0.1)
        began = time.monotonic()
        query.send_signal(signal.SIGINT)
        assert query.communicate(timeout=30) == (b"", b"Error: Interrupted\n")
    assert (query.returncode, time.monotonic() - began < 5) == (130, True)


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["SELECT * FROM gold.genre"], 2, "There is no table gold.genre: did you mean gold.genres?"),
        (["DROP TABLE gold.genres"], 2, "DROP is not allowed. Queries only read: give a SELECT"),
        (["SELECT * FROM years"], 1, "gold.years is not in the lake at"),
        (["SELECT 1", "--version", "genres"], 2, "--version genres has no number. Give TABLE=N"),
        (["SELECT 1", "--version", "genre=1"], 2, "There is no table genre: did you mean"),
        (["SELECT * FROM genres", "--version", "genres=9"], 1, "gold.genres has no version 9: its newest"),
        ([], 2, "Give the query in quotes, or --file with one in it, or - and the query on standard input"),
        (["SELECT 1", "--file", "x.sql"], 2, "Give the query in quotes, or --file"),
        (["--file", "nowhere.sql"], 2, "nowhere.sql cannot be read: No such file or directory"),
        (["SELECT 1", "--format", "parquet"], 2, "Parquet needs a file. Give --output FILE.parquet"),
        (["SELECT 1", "--escape-formulas", "--format", "json"], 2, "--escape-formulas is for CSV"),
        (["SELECT 1", "--output", "/nowhere/x.csv"], 2, "/nowhere/x.csv cannot be written: No such file"),
        (
            ["SELECT o.movies, g.movies FROM gold.overview o, genres g", "--format", "json"],
            2,
            "Two columns are named movies, which json does not allow. Rename one with AS",
        ),
        (["SELECT 1 AS a, 2 AS \"b\"", "--format", "xml"], 2, "'xml' is not one of"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_a_sentence(arguments, status, sentence, lake):
    done = ask(lake, *arguments)

    assert (done.exit_code, done.stdout) == (status, "")
    assert sentence in " ".join(done.stderr.replace("│", " ").split())


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_before_a_query_is_passed_over(encoding, lake, tmp_path):
    query = GENRES.encode(encoding)
    (tmp_path / "query.sql").write_bytes(query)
    plain = ask(lake, GENRES).stdout

    assert ask(lake, "-", given=query).stdout == plain
    assert ask(lake, "--file", str(tmp_path / "query.sql")).stdout == plain
    assert ask(lake, f"\ufeff{GENRES}").stdout == plain
