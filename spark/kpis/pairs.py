"""Pairs of people who made movies together."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from movies.lake import gold_tables as tables
from spark.kpis.actors import explode_top_billed
from spark.kpis.figures import FIGURE_COLUMNS, rank_pairs
from spark.kpis.kpi import Kpi, explode_names


def rank_director_pairs(movies: DataFrame) -> DataFrame:
    """Return the first pairs of co-directors, each pair once, the names in alphabetical order."""
    # Few movies have two directors, so the others are left out before exploding.
    together = movies.select("director", *FIGURE_COLUMNS).filter(F.col("director").contains("|"))
    firsts = explode_names(together, "director", "director_a", tables.PAIRED_DIRECTORS)
    pairs = explode_names(firsts, "director", "director_b", tables.PAIRED_DIRECTORS)
    ranked = rank_pairs(pairs.filter("director_a < director_b"), "director_a", "director_b")
    return ranked.select(*tables.DIRECTOR_PAIRS.columns)


def rank_actor_director_pairs(movies: DataFrame) -> DataFrame:
    """Return the first pairs of a top-billed actor and another person as director."""
    credits = explode_top_billed(movies.select("cast", "director", *FIGURE_COLUMNS))
    pairs = explode_names(credits, "director", "director", tables.PAIRED_DIRECTORS).filter(
        "actor != director"
    )
    return rank_pairs(pairs, "actor", "director").select(*tables.ACTOR_DIRECTOR_PAIRS.columns)


DIRECTOR_PAIRS = Kpi(tables.DIRECTOR_PAIRS, rank_director_pairs)
ACTOR_DIRECTOR_PAIRS = Kpi(tables.ACTOR_DIRECTOR_PAIRS, rank_actor_director_pairs)
