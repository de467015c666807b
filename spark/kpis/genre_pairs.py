"""Genres that movies list together."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from movies.lake import gold_tables as tables
from spark.kpis.figures import FIGURE_COLUMNS, rank_pairs
from spark.kpis.kpi import Kpi, explode_names


def pair_genres(movies: DataFrame) -> DataFrame:
    """Return the pairs of genres, most movies first, each pair once, the names in alphabetical order.

    The lift is how many times as many movies list both as would if genres fell on movies by chance.
    """
    listed = movies.select("genres", *FIGURE_COLUMNS).filter("genres is not null")
    singles = explode_names(listed, "genres", "genre").groupBy("genre").agg(F.count("genre").alias("movies"))
    counted = (
        rank_pairs(_explode_pairs(listed), "genre_a", "genre_b")
        .join(singles.select(F.col("genre").alias("genre_a"), F.col("movies").alias("movies_a")), "genre_a")
        .join(singles.select(F.col("genre").alias("genre_b"), F.col("movies").alias("movies_b")), "genre_b")
        .crossJoin(listed.agg(F.count("genres").alias("movies_with_genres")))
    )
    expected = F.col("movies_a") * F.col("movies_b") / F.col("movies_with_genres")
    pairs = counted.withColumn("lift", F.col("movies") / expected)
    return pairs.orderBy("rank").select(*tables.GENRE_PAIRS.columns)


def _explode_pairs(movies: DataFrame) -> DataFrame:
    firsts = explode_names(
        movies.filter(F.col("genres").contains("|")), "genres", "genre_a", tables.PAIRED_GENRES
    )
    return explode_names(firsts, "genres", "genre_b", tables.PAIRED_GENRES).filter("genre_a < genre_b")


GENRE_PAIRS = Kpi(tables.GENRE_PAIRS, pair_genres)
