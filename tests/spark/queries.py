"""Running one KPI's query on literal movies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from movies.lake.tables import SILVER_MOVIES
from spark.engines.session import Engine
from spark.kpis.kpi import MOVIE_COLUMNS
from tests.spark.lakes import Rows, rows_of

Query = Callable[[Any], Any]

MOVIES_DDL = ", ".join(f"`{column}` {SILVER_MOVIES.columns[column].type}" for column in MOVIE_COLUMNS)


def computed(engine: Engine, query: Query, *movies: dict[str, Any]) -> Rows:
    """What a query makes of movies; columns that a movie lacks are null, ids count from 1."""
    rows = [
        tuple({"id": nth, **movie}.get(column) for column in MOVIE_COLUMNS)
        for nth, movie in enumerate(movies, start=1)
    ]
    return rows_of(query(engine.session.createDataFrame(rows, MOVIES_DDL)))


def pick(rows: Rows, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in columns) for row in rows]


def earning(budget: float | None, revenue: float | None, **fields: Any) -> dict[str, Any]:
    """A movie with money in millions; profit and return follow where both are known."""
    known = budget is not None and revenue is not None
    return {
        "budget_musd": budget,
        "revenue_musd": revenue,
        "profit_musd": revenue - budget if known else None,
        "roi": revenue / budget if known else None,
        **fields,
    }
