"""Production companies and countries, each credited with the whole movie."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from movies.lake import gold_tables as tables
from spark.kpis.figures import FIGURE_COLUMNS, group_figures, rank_groups
from spark.kpis.kpi import Kpi, explode_names


def rank_companies(movies: DataFrame) -> DataFrame:
    """Return the first production companies by total revenue, then name."""
    movies = movies.select("production_companies", *FIGURE_COLUMNS)
    credits = explode_names(movies, "production_companies", "company")
    return rank_groups(credits, "company").select(*tables.COMPANIES.columns)


def summarise_countries(movies: DataFrame) -> DataFrame:
    """Return every production country, most movies first, then by name."""
    credits = movies.select("production_countries", *FIGURE_COLUMNS)
    countries = explode_names(credits, "production_countries", "country").groupBy("country")
    return countries.agg(*group_figures()).orderBy(F.col("movies").desc(), "country")


COMPANIES = Kpi(tables.COMPANIES, rank_companies)
COUNTRIES = Kpi(tables.COUNTRIES, summarise_countries)
