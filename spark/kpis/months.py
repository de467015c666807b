"""Months of release."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from movies.lake import gold_tables as tables
from spark.kpis.figures import FIGURE_COLUMNS, group_figures
from spark.kpis.kpi import Kpi


def summarise_months(movies: DataFrame) -> DataFrame:
    """Return every month that has a movie, January first."""
    dated = movies.select("release_date", *FIGURE_COLUMNS).filter("release_date is not null")
    # If only the year or month of a date is known, TMDB has its first day.
    on_first_day = F.count(F.when(F.dayofmonth("release_date") == 1, F.lit(1)))
    months = dated.groupBy(F.month("release_date").alias("month"))
    return months.agg(*group_figures(), on_first_day.alias("movies_on_first_day")).orderBy("month")


RELEASE_MONTHS = Kpi(tables.RELEASE_MONTHS, summarise_months)
