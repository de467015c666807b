"""The sample of movies that plots draw as points and the dashboard filters."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from movies.lake import gold_tables as tables
from spark.kpis.kpi import Kpi


def sample_movies(movies: DataFrame) -> DataFrame:
    """Return all movies if they are few, otherwise those with the smallest hashes, equal on every engine."""
    chosen = movies.orderBy(F.md5(F.col("id").cast("string"))).limit(tables.MOVIE_SAMPLE_ROWS)
    return chosen.select(*tables.MOVIE_SAMPLE.columns).orderBy("id")


MOVIE_SAMPLE = Kpi(tables.MOVIE_SAMPLE, sample_movies)
