"""Running one KPI's query on literal movies."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from movies.lake.tables import SILVER_MOVIES
from spark.engines.session import Engine
from spark.kpis.kpi import MOVIE_COLUMNS
from tests.spark.lakes import Rows, rows_of

Query = Callable[[Any], Any]


def frame_of(engine: Engine, columns: Iterable[str], movies: Rows) -> Any:
    """A frame with some of silver's columns; those that a movie lacks are null."""
    rows = [tuple(movie.get(column) for column in columns) for movie in movies]
    types = ", ".join(f"`{column}` {SILVER_MOVIES.columns[column].type}" for column in columns)
    return engine.session.createDataFrame(rows, types)


def computed(engine: Engine, query: Query, *movies: dict[str, Any]) -> Rows:
    """What a query makes of movies; columns that a movie lacks are null, ids count from 1."""
    numbered = [{"id": nth, **movie} for nth, movie in enumerate(movies, start=1)]
    return rows_of(query(frame_of(engine, MOVIE_COLUMNS, numbered)))


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
