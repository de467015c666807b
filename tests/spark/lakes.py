"""Lakes for tests: made, filled and read without Spark."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import write_deltalake
from pyspark.sql import DataFrame

from movies.lake.arrow import arrow_schema
from movies.lake.delta import create, open_table, read
from movies.lake.table import Table
from movies.lake.tables import (
    FETCH_FAILURES,
    FILTERED,
    QUARANTINE,
    RATED_MOVIES,
    RAW_MOVIES,
    SILVER,
    SILVER_MOVIES,
)

FETCHED_AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

Rows = list[dict[str, Any]]
Payloads = Sequence[tuple[int, str] | dict[str, Any]]


def at(day: int) -> dt.datetime:
    return FETCHED_AT + dt.timedelta(days=day)


def payload(movie_id: int, **fields: Any) -> str:
    """A payload that silver keeps, with fields set otherwise."""
    ordinary = {
        "id": movie_id, "title": "A title", "status": "Released", "release_date": "2001-02-03",
        "budget": 10_000_000, "revenue": 30_000_000, "vote_count": 5, "vote_average": 7.5, "popularity": 1.5,
        "runtime": 90, "original_language": "en", "genres": [{"name": "Drama"}],
    }  # fmt: skip
    return json.dumps(ordinary | fields)


def fetched(movie_id: int, text: str, day: int = 1, batch_id: str = "b1") -> dict[str, Any]:
    """A row of raw movies, fetched so many days after the others."""
    return {"movie_id": movie_id, "payload": text, "fetched_at": at(day), "batch_id": batch_id}


def failed(movie_id: int, day: int, **columns: Any) -> dict[str, Any]:
    """A row of failures, so many days after the movies were fetched."""
    return {"movie_id": movie_id, "failed_at": at(day)} | columns


def fill_lake(lake_root: str, payloads: Payloads = ()) -> None:
    """Make the raw tables and silver's, and append payloads, each given as `(movie_id, text)` or as a row."""
    for table in (RAW_MOVIES, FETCH_FAILURES, *SILVER):
        create(table, lake_root)
    if payloads:
        append_payloads(lake_root, payloads)


def append_payloads(lake_root: str, payloads: Payloads) -> None:
    defaults = {"fetched_at": FETCHED_AT, "batch_id": "b1", "source": "sandbox"}
    rows = [
        defaults | (row if isinstance(row, dict) else {"movie_id": row[0], "payload": row[1]})
        for row in payloads
    ]
    table = pa.Table.from_pylist(rows, schema=arrow_schema(RAW_MOVIES))
    write_deltalake(RAW_MOVIES.path(lake_root), table, mode="append")


def append_failures(lake_root: str, failures: Rows) -> None:
    """Commit failures; what one does not say is as for a movie that TMDB does not have."""
    defaults = {"reason": "not_found", "http_status": 404, "attempts": 1, "batch_id": "b1"}
    rows = [defaults | failure for failure in failures]
    table = pa.Table.from_pylist(rows, schema=arrow_schema(FETCH_FAILURES))
    write_deltalake(FETCH_FAILURES.path(lake_root), table, mode="append")


def read_rows(lake_root: str, table: Table, *, by: str) -> Rows:
    """A table's rows, read without Spark, in the order of one column."""
    found = read(table, lake_root)
    rows = found.to_pylist() if found is not None else []
    return sorted(rows, key=lambda row: row[by])


def read_silver(lake_root: str) -> dict[str, Rows]:
    """All rows of silver's tables; its movies have exactly the columns with ratings, or those without."""
    columns = {field.name: field.type.type for field in open_table(SILVER_MOVIES, lake_root).schema().fields}
    movies = RATED_MOVIES if "imdb_id" in columns else SILVER_MOVIES
    assert columns == {name: column.type for name, column in movies.columns.items()}
    tables = (movies, QUARANTINE, FILTERED)
    return {table.name: read_rows(lake_root, table, by=next(iter(table.columns))) for table in tables}


def read_payloads(path: Path) -> list[tuple[int, str]]:
    with gzip.open(path, "rt") as lines:
        texts = [line.rstrip("\n") for line in lines]
    return [(int(json.loads(text)["id"]), text) for text in texts]


def read_expected_silver(path: Path) -> Rows:
    with gzip.open(path, "rt") as lines:
        rows = [json.loads(line) for line in lines]
    for row in rows:
        row["release_date"] = dt.date.fromisoformat(row["release_date"])
    return sorted(rows, key=lambda row: row["id"])


def rows_of(frame: DataFrame) -> Rows:
    return frame.toArrow().to_pylist()


def write_silver(lake_root: str, movies: Rows) -> None:
    """Fill silver without the transform; columns that a movie lacks are null."""
    rows = pa.Table.from_pylist(movies, schema=arrow_schema(SILVER_MOVIES))
    write_deltalake(SILVER_MOVIES.path(lake_root), rows, mode="append")
