"""Searches for movies by names of people and genres."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from types import MappingProxyType

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from movies.lake import gold_tables as tables
from spark.kpis.kpi import Kpi, add_rank


@dataclass(frozen=True)
class Search:
    """Movies whose lists have all given names, ordered by one value, nulls last, ties by id."""

    name: str
    definition: str
    names: Mapping[str, tuple[str, ...]]
    order_by: str
    highest_first: bool = False


SEARCHES = (
    Search(
        "bruce_willis_scifi_action",
        "Science fiction action movies with Bruce Willis, best rating first.",
        MappingProxyType({"cast": ("Bruce Willis",), "genres": ("Science Fiction", "Action")}),
        "vote_average",
        highest_first=True,
    ),
    Search(
        "tarantino_uma_thurman",
        "Movies of Quentin Tarantino with Uma Thurman, shortest first.",
        MappingProxyType({"director": ("Quentin Tarantino",), "cast": ("Uma Thurman",)}),
        "runtime",
    ),
)


def has_name(names: str, name: str) -> Column:
    """Return whether a joined list has a name, as a whole entry."""
    return F.concat(F.lit("|"), F.col(names), F.lit("|")).contains(f"|{name}|")


def find_movies(movies: DataFrame, search: Search) -> DataFrame:
    """Return the hits of one search by rank."""
    wanted = [has_name(column, name) for column, names in search.names.items() for name in names]
    value = F.col(search.order_by)
    order = value.desc_nulls_last() if search.highest_first else value.asc_nulls_last()
    hits = movies.filter(reduce(lambda left, right: left & right, wanted))
    return add_rank(hits, order, F.col("id")).withColumn("search", F.lit(search.name))


def search_movies(movies: DataFrame) -> DataFrame:
    """Return the hits of every search."""
    hits = [
        find_movies(movies, search).select(F.lit(nth).alias("nth"), *tables.MOVIE_SEARCHES.columns)
        for nth, search in enumerate(SEARCHES)
    ]
    found = reduce(DataFrame.unionByName, hits)
    return found.orderBy("nth", "rank").select(*tables.MOVIE_SEARCHES.columns)


MOVIE_SEARCHES = Kpi(tables.MOVIE_SEARCHES, search_movies)
