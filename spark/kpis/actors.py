"""Actors, each credited with the movies they are top-billed in."""

from __future__ import annotations

from pyspark.sql import DataFrame

from movies.lake import gold_tables as tables
from spark.kpis.figures import FIGURE_COLUMNS, rank_groups
from spark.kpis.kpi import Kpi, explode_names


def explode_top_billed(movies: DataFrame) -> DataFrame:
    """Return each movie one row for each distinct name among its top-billed, in the column `actor`."""
    return explode_names(movies, "cast", "actor", tables.TOP_BILLED).drop("cast")


def rank_actors(movies: DataFrame) -> DataFrame:
    """Return the first actors by total revenue, then name."""
    credits = explode_top_billed(movies.select("cast", *FIGURE_COLUMNS))
    return rank_groups(credits, "actor").select(*tables.ACTORS.columns)


ACTORS = Kpi(tables.ACTORS, rank_actors)
