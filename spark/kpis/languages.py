"""Original languages."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from movies.lake import gold_tables as tables
from spark.kpis.figures import FIGURE_COLUMNS, group_figures
from spark.kpis.kpi import Kpi


def summarise_languages(movies: DataFrame) -> DataFrame:
    """Return every original language, most movies first, then by code."""
    known = movies.select("original_language", *FIGURE_COLUMNS).filter("original_language is not null")
    languages = known.groupBy(F.col("original_language").alias("language")).agg(*group_figures())
    return languages.orderBy(F.col("movies").desc(), "language")


LANGUAGES = Kpi(tables.LANGUAGES, summarise_languages)
