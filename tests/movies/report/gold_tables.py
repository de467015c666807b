"""Gold tables computed with pandas from silver rows: slow and plain, to compare and to draw with."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from movies.lake import gold_tables as tables
from movies.lake.tables import SILVER_MOVIES
from movies.report.gold import Gold

ARROW_TYPES = {
    "long": pa.int64(),
    "integer": pa.int32(),
    "double": pa.float64(),
    "string": pa.string(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}
RANKINGS = {
    "highest_revenue": ("revenue_musd", False),
    "highest_budget": ("budget_musd", False),
    "highest_profit": ("profit_musd", False),
    "lowest_profit": ("profit_musd", True),
    "highest_roi": ("roi", False),
    "lowest_roi": ("roi", True),
    "most_voted": ("vote_count", False),
    "most_popular": ("popularity", False),
    "highest_rated": ("vote_average", False),
    "lowest_rated": ("vote_average", True),
}


def movie(movie_id: int, **fields: Any) -> dict[str, Any]:
    """A silver row with what a test names and what every movie has; profit and ROI follow."""
    row = {
        "id": movie_id,
        "title": f"Movie {movie_id}",
        "release_year": 2000,
        "genres": "Drama",
        "director": "Ann Field",
        "vote_count": 100,
        "vote_average": 6.0,
        "popularity": 5.0,
        "budget_musd": 10.0,
        "revenue_musd": 20.0,
        **fields,
    }
    if row["budget_musd"] is not None and row["revenue_musd"] is not None:
        row = {
            "profit_musd": row["revenue_musd"] - row["budget_musd"],
            "roi": row["revenue_musd"] / row["budget_musd"],
            **row,
        }
    return row


def silver_rows(path: Path) -> list[dict[str, Any]]:
    """The silver rows of a file of JSON lines."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def gold_from_silver(rows: list[dict[str, Any]]) -> Gold:
    """All gold tables of some silver rows; columns a row lacks are null."""
    return Gold.from_arrow(tables_from_silver(rows))


def tables_from_silver(rows: list[dict[str, Any]]) -> dict[str, pa.Table]:
    """The gold tables by name, as the pipeline hands them in."""
    silver = pd.DataFrame(rows, columns=list(SILVER_MOVIES.columns))
    for name, column in SILVER_MOVIES.columns.items():
        if column.type in ("long", "integer", "double"):
            silver[name] = pd.to_numeric(silver[name]).astype("float64")
    genres = silver.assign(genre=silver["genres"].str.split("|")).explode("genre").dropna(subset=["genre"])
    by_director = silver.assign(director=silver["director"].str.split("|")).explode("director")
    made = [
        (
            tables.OVERVIEW,
            [
                {
                    "movies": len(silver),
                    "mean_budget_musd": silver["budget_musd"].mean(),
                    "mean_revenue_musd": silver["revenue_musd"].mean(),
                    "mean_rating": silver["vote_average"].mean(),
                    "median_rating": silver["vote_average"].quantile(0.5),
                    **_coverage(silver),
                }
            ],
        ),
        (tables.MOVIE_RANKINGS, _rankings(silver)),
        (tables.MOVIE_SEARCHES, _searches(silver)),
        (tables.FRANCHISE_COMPARISON, _comparison(silver)),
        (tables.FRANCHISES, _ranked(silver, "belongs_to_collection", "collection", at_least=2)),
        (tables.DIRECTORS, _ranked(by_director, "director", "director")),
        (tables.GENRES, [_genre(genre, movies) for genre, movies in genres.groupby("genre")]),
        (
            tables.YEARS,
            [
                {
                    "release_year": year,
                    "movies": len(movies),
                    "total_revenue_musd": movies["revenue_musd"].sum(),
                    **{
                        f"mean_{name}_musd": movies[f"{name}_musd"].mean()
                        for name in ("revenue", "budget", "profit")
                    },
                    **_medians(movies),
                    **_coverage(movies),
                }
                for year, movies in silver.groupby("release_year")
            ],
        ),
        (tables.MOVIE_SAMPLE, silver.sort_values("id").head(tables.MOVIE_SAMPLE_ROWS).to_dict("records")),
    ]
    return {table.name: arrow_table(table, rows) for table, rows in made}


def arrow_table(table: tables.Table, rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as a table of the declared types, NaN as null, other columns dropped."""
    return pa.table(
        {
            name: pa.array(
                [_cell(row.get(name), column.type) for row in rows],
                type=ARROW_TYPES[column.type],
                from_pandas=True,
            )
            for name, column in table.columns.items()
        }
    )


def _cell(value: Any, kind: str) -> Any:
    if value is None or value != value:
        return None
    return int(value) if kind in ("long", "integer") else value


def _rankings(silver: pd.DataFrame) -> list[dict[str, Any]]:
    places = []
    for name, (column, ascending) in RANKINGS.items():
        movies = silver.dropna(subset=[column]).assign(ranking=name, value=lambda frame, by=column: frame[by])
        if name.endswith("_roi"):
            movies = movies[movies["budget_musd"] >= 10]
        if name.endswith("_rated"):
            movies = movies[movies["vote_count"] >= 10].sort_values(
                "vote_count", ascending=False, kind="stable"
            )
        order = ["vote_count", "id"] if name.endswith("_rated") else ["id"]
        directions = [False, True] if name.endswith("_rated") else [True]
        movies = movies.sort_values([column, *order], ascending=[ascending, *directions]).head(5)
        places += movies.assign(rank=range(1, len(movies) + 1)).to_dict("records")
    return places


def _holds(lists: pd.Series, *wanted: str) -> pd.Series:
    return lists.map(lambda joined: isinstance(joined, str) and set(wanted) <= set(joined.split("|"))).astype(
        bool
    )


def _searches(silver: pd.DataFrame) -> list[dict[str, Any]]:
    willis = silver[
        _holds(silver["cast"], "Bruce Willis") & _holds(silver["genres"], "Science Fiction", "Action")
    ]
    thurman = silver[_holds(silver["director"], "Quentin Tarantino") & _holds(silver["cast"], "Uma Thurman")]
    found = {
        "bruce_willis_scifi_action": willis.sort_values(["vote_average", "id"], ascending=[False, True]),
        "tarantino_uma_thurman": thurman.sort_values(["runtime", "id"]),
    }
    return [
        hit
        for search, movies in found.items()
        for hit in movies.assign(search=search, rank=range(1, len(movies) + 1)).to_dict("records")
    ]


def _comparison(silver: pd.DataFrame) -> list[dict[str, Any]]:
    in_collection = silver["belongs_to_collection"].notna()
    return [
        {
            "segment": segment,
            "movies": len(movies),
            "mean_revenue_musd": movies["revenue_musd"].mean(),
            "median_roi": movies["roi"].quantile(0.5),
            "mean_budget_musd": movies["budget_musd"].mean(),
            "mean_popularity": movies["popularity"].mean(),
            "mean_rating": movies["vote_average"].mean(),
            "movies_with_rating": movies["vote_average"].count(),
            **_medians(movies),
            **_coverage(movies),
        }
        for segment, movies in (("Franchise", silver[in_collection]), ("Standalone", silver[~in_collection]))
    ]


def _ranked(silver: pd.DataFrame, column: str, name: str, at_least: int = 1) -> list[dict[str, Any]]:
    groups = silver.dropna(subset=[column]).groupby(column)
    totals = pd.DataFrame(
        {
            "movies": groups.size(),
            "total_budget_musd": groups["budget_musd"].sum(),
            "mean_budget_musd": groups["budget_musd"].mean(),
            "total_revenue_musd": groups["revenue_musd"].sum(),
            "mean_revenue_musd": groups["revenue_musd"].mean(),
            "mean_rating": groups["vote_average"].mean(),
            **_coverage(groups),
        }
    )
    totals = totals[totals["movies"] >= at_least].rename_axis(name).reset_index()
    totals = totals.sort_values(["total_revenue_musd", name], ascending=[False, True])
    return totals.assign(rank=range(1, len(totals) + 1)).to_dict("records")


def _genre(genre: str, movies: pd.DataFrame) -> dict[str, Any]:
    return {
        "genre": genre,
        "movies": len(movies),
        "mean_rating": movies["vote_average"].mean(),
        "mean_revenue_musd": movies["revenue_musd"].mean(),
        "mean_popularity": movies["popularity"].mean(),
        "median_roi": movies["roi"].quantile(0.5),
        "roi_p25": movies["roi"].quantile(0.25),
        "roi_p75": movies["roi"].quantile(0.75),
        "median_revenue_musd": movies["revenue_musd"].quantile(0.5),
        **_coverage(movies),
    }


def _coverage(movies: Any) -> dict[str, Any]:
    """How many of some movies, or of each group of them, have their money known."""
    figures = {"budget": "budget_musd", "revenue": "revenue_musd", "roi": "roi"}
    return {f"movies_with_{figure}": movies[column].count() for figure, column in figures.items()}


def _medians(movies: pd.DataFrame) -> dict[str, Any]:
    return {f"median_{name}_musd": movies[f"{name}_musd"].quantile(0.5) for name in ("revenue", "budget")}
