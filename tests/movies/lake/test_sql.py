"""SQL over the lake: what it reads, what it refuses, and what it says of a wrong query."""

from __future__ import annotations

import shutil
import time
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movies.lake import sql
from movies.lake.all_tables import TABLES
from movies.lake.arrow import arrow_schema
from movies.lake.commits import replace
from movies.lake.delta import open_table, read
from movies.lake.gold_tables import GENRES, OVERVIEW
from movies.lake.lake_errors import (
    LakeAccessError,
    QueryError,
    QueryStoppedError,
    TableMissingError,
    VersionGoneError,
)
from movies.lake.sql import ask
from movies.lake.tables import DATA_QUALITY, SILVER_MOVIES
from movies.lake.upkeep import compact
from tests.movies.lake.small_lake import GENRE_ROWS, MOVIES, make_lake, write

CROSS_JOIN = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range = 7"


def rows(lake: str, query: str) -> list[dict[str, Any]]:
    return ask(lake, query).read_all().to_pylist()


def versions(lake: str) -> dict[str, int]:
    return {table.name: found.version() for table in TABLES if (found := open_table(table, lake))}


@pytest.mark.parametrize("name", ["gold.genres", '"gold/genres"', "genres", "GOLD.Genres"])
def test_a_table_is_called_by_its_layer_its_path_or_its_own_name(name, lake):
    assert rows(lake, f"SELECT genre, movies FROM {name} ORDER BY genre") == GENRE_ROWS


def test_types_come_as_they_are_declared(lake):
    answer = ask(lake, "SELECT * FROM silver.movies WHERE id = 18")

    assert answer.schema.equals(arrow_schema(SILVER_MOVIES))
    [row] = answer.read_all().to_pylist()
    assert {name: row[name] for name in MOVIES[0]} == MOVIES[0]


def test_a_partition_column_is_like_any_other(lake):
    sql = """
        SELECT release_year, count(*) AS movies FROM silver.movies
        WHERE release_year > 1995 GROUP BY 1 ORDER BY 1
    """
    assert rows(lake, sql) == [{"release_year": 1997, "movies": 1}, {"release_year": 2003, "movies": 1}]


def test_layers_can_be_joined(lake):
    sql = """
        WITH refused AS (SELECT movie_id FROM silver.quarantine)
        SELECT count(*) AS raw, count(m.id) AS silver, count(r.movie_id) AS refused
        FROM raw.movies LEFT JOIN silver.movies m ON movie_id = m.id LEFT JOIN refused r USING (movie_id)
    """
    assert rows(lake, sql) == [{"raw": 4, "silver": 3, "refused": 1}]


def test_gold_is_as_published_while_silver_is_as_it_is(tmp_path):
    lake = make_lake(str(tmp_path))
    write(GENRES, lake, {"genre": "Not yet published", "movies": 1})
    write(SILVER_MOVIES, lake, *MOVIES[:1])

    assert rows(lake, "SELECT genre, movies FROM genres ORDER BY genre") == GENRE_ROWS
    assert rows(lake, "SELECT id FROM silver.movies") == [{"id": 18}]


def test_compacted_gold_is_read_as_it_lies_now(tmp_path):
    lake = make_lake(str(tmp_path))
    found = open_table(GENRES, lake)
    assert found is not None
    compact(found)

    assert rows(lake, "SELECT count(*) AS n FROM gold.genres") == [{"n": 2}]


def test_gold_that_no_stage_has_published_is_read_as_it_is(tmp_path):
    lake = make_lake(str(tmp_path))
    write(DATA_QUALITY, lake, {"check": "few_movies", "status": "failed"})

    assert rows(lake, 'SELECT "check", status FROM gold.data_quality') == [
        {"check": "few_movies", "status": "failed"}
    ]


def test_a_gold_table_made_anew_by_something_else_is_refused(tmp_path):
    lake = make_lake(str(tmp_path))
    shutil.rmtree(GENRES.path(lake))
    write(GENRES, lake, {"genre": "Another's", "movies": 1})

    with pytest.raises(VersionGoneError, match=r"gold\.genres is not the table that was published"):
        rows(lake, "SELECT * FROM genres")
    # Who does not ask for it is not told: this `genres` is a column.
    assert len(rows(lake, "SELECT genres FROM silver.movies")) == 3


def test_torn_files_are_no_fault_of_the_query(tmp_path):
    lake = make_lake(str(tmp_path))
    for file in Path(GENRES.path(lake)).glob("*.parquet"):
        file.write_bytes(b"x" * file.stat().st_size)

    with pytest.raises(LakeAccessError, match=r"cannot be read: .*Parquet error"):
        rows(lake, "SELECT * FROM genres WHERE movies > 1")


def test_a_table_that_is_not_there_yet_says_what_makes_it(lake):
    with pytest.raises(
        TableMissingError, match=r"gold\.years is not in the lake at .* yet. Run `movies run` to make it"
    ):
        rows(lake, "SELECT * FROM years")


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("SELECT * FROM gold.genre", "There is no table gold.genre: did you mean gold.genres?"),
        ("SELECT * FROM movies", "There are several tables called movies: raw.movies and silver.movies"),
        ("SELECT * FROM nothing_like_it", "There is no table nothing_like_it: `movies show` lists all"),
        ("SELECT * FROM silver.genres", "There is no table silver.genres: did you mean gold.genres?"),
        ("SELECT titel FROM silver.movies", "There is no column titel. Did you mean title?"),
        ("SELECT g.move FROM genres g", "There is no column move. Did you mean movies?"),
        ("SELECT x", "There is no column x. Did you mean one of a table after FROM?"),
        (
            "SELECT x FROM gold.overview",
            "There is no column x. Did you mean movies, mean_budget_musd, mean_revenue_musd, mean_rating, "
            "movies_with_budget, movies_with_revenue, movies_with_roi, share_profitable, median_rating?",
        ),
        (
            'SELECT 1 FROM genres WHERE genre = "Drama"',
            "There is no column Drama. Text has single quotes: 'Drama'.",
        ),
        ("SELECT *\nFRM genres", 'The query is not SQL: syntax error at or near "genres" (line 2).'),
        (
            "SELECT cast\n FROM silver.movies",
            'The query is not SQL: syntax error at or near "FROM" (line 2); '
            'the column "cast" needs its quotes.',
        ),
        ("SELECT * FROM genres WHERE", "The query is not SQL: syntax error at end of input."),
        (
            "SELECT yeer(1)",
            "The query cannot be answered: Scalar Function with name yeer does not exist (line 1).",
        ),
        (
            "SELECT CAST(genre AS int) FROM genres",
            "The query cannot be answered: Could not convert string 'Action' to INT32 when casting from "
            "source column genre (line 1).",
        ),
        ("SELECT (2 ** 100)::hugeint", "The query cannot be answered: Integer value out of bounds."),
        ("SELECT 1; SELECT 2", "There are several statements. Give one query at a time."),
        ("SELECT * INTO copy FROM genres", "The query is not SQL: SELECT INTO not supported."),
        (" -- nothing\n", "The query is empty. Give a SELECT."),
    ],
)  # fmt: skip
def test_a_wrong_query_is_said_in_a_sentence(sql, sentence, lake):
    with pytest.raises(QueryError) as error:
        rows(lake, sql)
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO gold.genres VALUES ('x')",
        "DELETE FROM gold.genres",
        "UPDATE gold.genres SET movies = 0",
        "DROP TABLE gold.genres",
        "CREATE TABLE mine AS SELECT 1",
        "COPY (SELECT 1 AS a) TO '{folder}/out.csv'",
        "EXPLAIN ANALYZE COPY (SELECT 1 AS a) TO '{folder}/out.csv'",
        "/* /* */ SELECT */ COPY (SELECT 1 AS a) TO '{folder}/out.csv'",
        "WITH a AS (SELECT 'x') INSERT INTO gold.genres SELECT * FROM a",
        "SELECT * FROM (DELETE FROM gold.genres)",
        "SELECT 1; COPY (SELECT 1 AS a) TO '{folder}/out.csv'",
        "FROM gold.genres; DROP TABLE gold.genres",
        "EXPORT DATABASE '{folder}/out'",
        "ATTACH '{folder}/out.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET memory_limit = '99GB'",
        "PREPARE p AS SELECT 1",
        "CALL pragma_version()",
        "SHOW TABLES",
        "SELECT * FROM '{folder}/in.csv'",
        "SELECT * FROM read_csv('{folder}/in.csv')",
        "SELECT * FROM glob('{folder}/*')",
        "SELECT * FROM query('FROM read_text(''{folder}/in.csv'')')",
        "SELECT * FROM information_schema.tables",
        # A variable of this test.
        "SELECT * FROM before",
    ],
)
def test_nothing_but_reading_the_lake_is_allowed(sql, lake, tmp_path):
    (tmp_path / "in.csv").write_text("a,b\n1,2\n")
    before = versions(lake)

    with pytest.raises(QueryError):
        rows(lake, sql.format(folder=tmp_path))

    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]
    assert versions(lake) == before
    assert rows(lake, "SELECT genre, movies FROM gold.genres ORDER BY genre") == GENRE_ROWS


def test_a_refusal_says_what_is_read(lake):
    with pytest.raises(QueryError) as error:
        rows(lake, "drop table genres")
    assert str(error.value) == (
        "DROP is not allowed. Queries only read: give a SELECT, an EXPLAIN, or DESCRIBE and a table. "
        "`movies show` lists the tables."
    )


@pytest.mark.parametrize(
    "sql",
    [
        "(SELECT 1 AS a) UNION ALL SELECT 1",
        "VALUES (1), (1)",
        "FROM (VALUES (1), (1)) AS t(a) SELECT a;",
        "DESCRIBE gold.genres;",
        "-- why\n/* a /* nested */ one */ SELECT 1 UNION ALL SELECT 1",
    ],
)
def test_what_reads_is_answered(sql, lake):
    assert len(rows(lake, sql)) >= 2


@pytest.mark.parametrize(
    "sql",
    [
        "EXPLAIN SELECT movies FROM gold.genres",
        "-- explain\nEXPLAIN ANALYZE SELECT movies FROM genres",
        "EXPLAIN (FORMAT json) SELECT movies FROM genres",
    ],
)
def test_a_plan_names_the_columns_that_are_read(sql, lake):
    [plan] = rows(lake, sql)
    assert "movies" in plan["explain_value"]
    assert "mean_rating" not in plan["explain_value"]


def test_a_table_can_be_joined_with_itself(lake):
    sql = """
        WITH g AS (SELECT * FROM gold.genres WHERE movies > 0)
        SELECT a.genre, b.genre AS other, c.movies
        FROM g AS a JOIN gold.genres AS b ON a.genre < b.genre JOIN "gold/genres" AS c ON c.genre = a.genre
    """
    assert rows(lake, sql) == [{"genre": "Action", "other": "Crime", "movies": 2}]


@pytest.mark.parametrize("order", ["roi", "roi DESC"])
def test_nulls_come_last(order, lake):
    assert rows(lake, f"SELECT id FROM silver.movies ORDER BY {order}")[-1] == {"id": 680}


def test_an_older_version_is_read_on_request(tmp_path):
    lake = make_lake(str(tmp_path))
    write(SILVER_MOVIES, lake, *MOVIES[:1])

    sql = "SELECT count(*) AS n FROM silver.movies"
    assert rows(lake, sql) == [{"n": 1}]
    assert ask(lake, sql, {SILVER_MOVIES.name: 1}).read_all().to_pylist() == [{"n": 3}]
    with pytest.raises(VersionGoneError, match=r"silver\.movies has no version 9: its newest is 2"):
        ask(lake, sql, {SILVER_MOVIES.name: 9})


def test_a_query_ends_when_its_time_is_over(lake):
    began = time.monotonic()
    with pytest.raises(QueryStoppedError, match=r"longer than 0\.2 s\. Raise --timeout, or ask for less\."):
        ask(lake, CROSS_JOIN, seconds=0.2).read_all()
    assert time.monotonic() - began < 5


def test_a_query_gets_so_much_memory_and_no_more(lake, monkeypatch):
    monkeypatch.setattr(sql, "SETTINGS", sql.SETTINGS.replace(sql.MEMORY, "50MB"))
    with pytest.raises(QueryError, match=r"^The query needs more than 2GB of memory\. Ask for fewer rows"):
        rows(lake, "SELECT * FROM range(100000000) ORDER BY hash(range)")


def test_rows_are_computed_as_they_are_taken(lake):
    batches = ask(lake, "SELECT * FROM range(1000000000000)")
    assert [next(batches).num_rows > 0 for _ in range(3)] == [True] * 3


def test_types_come_as_other_programs_take_them(lake):
    sql = "SELECT sum(movies) AS n, 'a'::enum('a') AS e, now() AS t, 1.5::decimal(9, 2) AS d FROM genres"
    assert [str(kind) for kind in ask(lake, sql).schema.types] == [
        *("int64", "string", "timestamp[us, tz=UTC]", "decimal128(9, 2)")
    ]


COLUMNS = st.sampled_from(["id", "vote_count", "runtime", "roi", "budget_musd", "release_year"])
TEXTS = st.text(max_size=8).filter(lambda text: "\x00" not in text)
GENERATED = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.integers(0, 50),
            "title": st.none() | TEXTS,
            "vote_count": st.none() | st.integers(0, 9),
            "runtime": st.none() | st.integers(0, 9),
            "roi": st.none() | st.integers(-8, 8).map(lambda eighths: eighths / 8),
            "budget_musd": st.none() | st.integers(0, 9).map(float),
            "release_date": st.none() | st.dates(date(1990, 1, 1), date(1999, 12, 31)),
            "release_year": st.integers(1990, 1993),
        }
    ),
    min_size=1,
    max_size=12,
)
OPERATORS = {"<": pc.less, "<=": pc.less_equal, "=": pc.equal, "<>": pc.not_equal, ">": pc.greater}


@pytest.fixture(scope="module")
def generated_lake(tmp_path_factory) -> str:
    return str(tmp_path_factory.mktemp("generated"))


@pytest.mark.slow
@settings(max_examples=12, deadline=None, derandomize=True)
@given(movies=GENERATED, column=COLUMNS, operator=st.sampled_from(sorted(OPERATORS)), value=st.integers(0, 9))
def test_a_filter_gives_what_arrow_gives(generated_lake, movies, column, operator, value):
    content = pa.Table.from_pylist(movies, schema=arrow_schema(SILVER_MOVIES))
    replace(SILVER_MOVIES, generated_lake, content)
    value = 1990 + value % 4 if column == "release_year" else value

    got = ask(generated_lake, f"SELECT * FROM silver.movies WHERE {column} {operator} {value}").read_all()

    expected = content.filter(OPERATORS[operator](content[column], value))
    assert sorted(map(repr, got.to_pylist())) == sorted(map(repr, expected.to_pylist()))


def test_every_table_of_a_lake_can_be_asked(tmp_path):
    lake = str(tmp_path)
    for table in TABLES:
        write(table, lake)

    for table in TABLES:
        answer = ask(lake, f'SELECT * FROM "{table.name}"')
        assert (answer.schema, answer.read_all().num_rows) == (arrow_schema(table), 0), table.name


def test_what_is_asked_is_what_the_pipeline_reads(lake):
    whole = read(OVERVIEW, lake)
    assert whole is not None
    assert ask(lake, "SELECT * FROM overview").read_all().equals(whole)
