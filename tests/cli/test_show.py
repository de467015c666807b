"""`movies show` as a user has it."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

from cli.app import app
from movies.lake.all_tables import TABLES
from movies.lake.arrow import arrow_schema
from movies.lake.commits import replace
from movies.lake.gold_tables import GENRES
from movies.lake.table_names import complete_name
from tests.movies.lake.small_lake import GENRE_ROWS, make_lake, write


def show(lake: str, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["show", *arguments, "--lake-root", lake])


def test_all_tables_are_listed_with_rows_and_meaning(lake):
    done = show(lake)

    assert (done.exit_code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == f"Lake at {lake}"
    assert [line.split()[0] for line in lines[3:]] == [table.name.replace("/", ".") for table in TABLES]
    rows = {line.split()[0]: re.split(r"\s{2,}", line)[1:] for line in lines[3:]}
    assert rows["silver.movies"][:2] == ["3", "1"]
    assert rows["silver.movies"][3] == "Released movies, the latest payload of each."
    assert rows["gold.years"][:2] == ["–", "–"]  # noqa: RUF001


@pytest.mark.parametrize("name", ["gold.genres", "gold/genres", "genres"])
def test_a_table_is_shown_with_its_columns_and_first_rows(name, lake):
    lines = show(lake, name).stdout.splitlines()

    assert lines[0] == f"gold.genres: {GENRES.meaning}"
    assert lines[1:3] == ["  rows ....... 2", "  version .... 1"]
    assert lines[4:6] == [
        "  published .. 2026-06-02 12:30 (UTC) by the stage kpis",
        f"  place ...... {GENRES.path(lake)}",
    ]
    assert f"roi_p25              double  {GENRES.columns['roi_p25'].meaning}" in lines
    assert [line.split()[:2] for line in lines[-2:]] == [["Action", "2"], ["Crime", "1"]]


def test_gold_that_is_newer_than_what_is_published_says_so(tmp_path):
    lake = make_lake(str(tmp_path))
    write(GENRES, lake, {"genre": "Not yet published", "movies": 1})

    lines = show(lake, "genres").stdout.splitlines()
    assert lines[1:3] == ["  rows ....... 2", "  version .... 1, the newest is 2"]
    older = show(lake, "genres", "--version", "2", "--rows", "1").stdout.splitlines()
    assert older[1:3] == ["  rows ....... 1", "  version .... 2"]
    assert older[-1].startswith("Not yet published")


def test_rows_come_from_where_their_commit_says(tmp_path):
    rows = pa.Table.from_pylist(GENRE_ROWS, schema=arrow_schema(GENRES))
    origin = {"silver_movies_version": "7", "code_version": "0123456789ab", "run_id": "abcdefgh-ij"}
    replace(GENRES, str(tmp_path), rows, origin)

    said = show(str(tmp_path), "genres").stdout
    assert "  made from .. silver.movies version 7, code 01234567, run abcdefgh\n" in said


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["gold.genre"], 2, "Error: There is no table gold.genre: did you mean gold.genres?"),
        (["movies"], 2, "Error: There are several tables called movies: raw.movies and silver.movies"),
        (["years"], 1, "Error: gold.years is not in the lake at"),
        (["genres", "--version", "9"], 1, "Error: gold.genres has no version 9: its newest is 1"),
        (["--version", "1"], 2, "--version needs a table. Give its name."),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(arguments, status, sentence, lake):
    done = show(lake, *arguments)

    assert (done.exit_code, done.stdout) == (status, "")
    assert sentence in " ".join(done.stderr.replace("│", " ").split())


def test_a_shell_completes_names_of_tables():
    assert [*complete_name("gold.gen")] == ["gold.genres", "gold.genre_pairs"]
    assert [*complete_name("GENR")] == ["genres", "genre_pairs"]
    assert [*complete_name("movies")] == []
