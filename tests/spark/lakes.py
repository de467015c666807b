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
from movies.lake.delta import read
from movies.lake.table import Table
from movies.lake.tables import FETCH_FAILURES, RAW_MOVIES, SILVER_MOVIES

FETCHED_AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

Rows = list[dict[str, Any]]
Payloads = Sequence[tuple[int, str] | dict[str, Any]]


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
