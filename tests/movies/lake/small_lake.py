"""A lake of a few movies with published gold, made without Spark."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa

from movies.lake.arrow import arrow_schema
from movies.lake.commits import replace
from movies.lake.delta import TableVersion
from movies.lake.gold_tables import GENRES, OVERVIEW
from movies.lake.publications import Publication, publish
from movies.lake.table import Table
from movies.lake.tables import FETCH_FAILURES, FILTERED, QUARANTINE, RAW_MOVIES, SILVER_MOVIES

FETCHED_AT = datetime(2026, 6, 1, tzinfo=UTC)
FETCH = {"fetched_at": FETCHED_AT, "batch_id": "b1"}
PUBLISHED_AT = datetime(2026, 6, 2, 12, 30, tzinfo=UTC)
MOVIES = [
    {"id": one, "title": title, "release_date": day, "release_year": day.year, "roi": roi}
    for one, title, day, roi in (
        (18, "The Fifth Element", date(1997, 5, 2), 2.9),
        (24, "Kill Bill", date(2003, 10, 10), 6.0),
        (680, "Pulp Fiction", date(1994, 9, 10), None),
    )
]
GENRE_ROWS = [{"genre": "Action", "movies": 2}, {"genre": "Crime", "movies": 1}]


def write(table: Table, root: str, *rows: dict[str, object]) -> TableVersion:
    return replace(table, root, pa.Table.from_pylist(list(rows), schema=arrow_schema(table)))


def make_lake(root: str) -> str:
    """Three movies in silver, one refused, and two gold tables that are published."""
    raw = write(
        RAW_MOVIES,
        root,
        *(
            {
                "movie_id": one,
                "payload": "{}",
                "fetched_at": FETCHED_AT,
                "batch_id": "b1",
                "source": "sandbox",
            }
            for one in (18, 24, 680, 95)
        ),
    )
    failures = write(
        FETCH_FAILURES,
        root,
        {"movie_id": 0, "reason": "not_found", "failed_at": FETCHED_AT, "batch_id": "b1"},
    )
    silver = {
        SILVER_MOVIES.name: write(SILVER_MOVIES, root, *MOVIES),
        QUARANTINE.name: write(
            QUARANTINE,
            root,
            {"movie_id": 95, "reason": "malformed", "payload": "{"} | FETCH,
        ),
        FILTERED.name: write(FILTERED, root),
    }
    gold = {
        OVERVIEW.name: write(OVERVIEW, root, {"movies": 3}),
        GENRES.name: write(GENRES, root, *GENRE_ROWS),
    }
    facts = {"movies": 3, "filtered": {}, "quarantined": {"malformed": 1}, "judged": None}
    raws = {RAW_MOVIES.name: raw, FETCH_FAILURES.name: failures}
    publish(root, Publication("transform", raws, silver, "old code", facts, "run-1", PUBLISHED_AT))
    facts = {"rows": {OVERVIEW.name: 1, GENRES.name: 2}, "warnings": ["few_movies"], "accepted": []}
    silver_read = {SILVER_MOVIES.name: silver[SILVER_MOVIES.name]}
    publish(root, Publication("kpis", silver_read, gold, "old code", facts, "run-1", PUBLISHED_AT))
    return root
