"""Generated movies in silver's columns: budgets explain half of their revenues, the rest is chance."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa

from movies.lake.arrow import arrow_schema
from movies.lake.tables import SILVER_MOVIES

Row = dict[str, Any]
GENRES = ("Action", "Comedy", "Drama", "Horror")


def movie(movie_id: int, released: str, **fields: Any) -> Row:
    """A silver row with a date, what a test names, and nothing else."""
    date = dt.date.fromisoformat(released)
    row = dict.fromkeys(SILVER_MOVIES.columns) | {
        "id": movie_id,
        "title": f"Movie {movie_id}",
        "release_date": date,
        "release_year": date.year,
    }
    return row | fields


def generate(count: int = 320, first_year: int = 2000, years: int = 12, seed: int = 7) -> list[Row]:
    """So many movies, spread evenly over the years, one in ten of unknown revenue."""
    random = np.random.default_rng(seed)
    rows = []
    for place in range(count):
        day = dt.date(first_year, 1, 1) + dt.timedelta(days=int(place * 365 * years / count))
        budget = float(10 ** random.uniform(0, 2.2))
        revenue = budget * float(10 ** random.normal(0.3, 0.45))
        rows.append(
            movie(
                place + 1,
                day.isoformat(),
                budget_musd=round(budget, 3),
                revenue_musd=None if random.random() < 0.1 else round(revenue, 3),
                genres="|".join(random.choice(GENRES, 2, replace=False)),
                original_language="en",
                runtime=int(random.integers(80, 160)),
                director=f"Director {random.integers(40)}",
                cast="|".join(f"Actor {number}" for number in random.choice(80, 6, replace=False)),
                production_companies=f"Studio {random.integers(8)}",
                belongs_to_collection=f"Saga {random.integers(10)}" if random.random() < 0.2 else None,
                vote_count=int(random.integers(1, 9_000)),
                vote_average=float(random.uniform(3, 9)),
                popularity=float(random.uniform(0, 100)),
                cast_size=int(random.integers(1, 90)),
                crew_size=int(random.integers(1, 200)),
            )
        )
    return rows


def silver(rows: list[Row]) -> pa.Table:
    """The rows as a table of silver."""
    return pa.Table.from_pylist(rows, schema=arrow_schema(SILVER_MOVIES))
