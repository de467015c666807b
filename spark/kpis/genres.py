"""Genres, each credited with every movie that lists it."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from movies.lake import gold_tables as tables
from spark.kpis.figures import FIGURE_COLUMNS, coverage, share_profitable
from spark.kpis.kpi import Kpi, explode_names

QUARTILES = {"roi_p25": 0.25, "median_roi": 0.5, "roi_p75": 0.75}


def summarise_genres(movies: DataFrame) -> DataFrame:
    """Return every genre, most movies first, then by name; percentiles interpolate linearly."""
    figures = movies.select("genres", "popularity", *FIGURE_COLUMNS)
    return (
        explode_names(figures, "genres", "genre")
        .groupBy("genre")
        .agg(
            F.count("genre").alias("movies"),
            F.avg("vote_average").alias("mean_rating"),
            F.avg("revenue_musd").alias("mean_revenue_musd"),
            F.avg("popularity").alias("mean_popularity"),
            # Sorted once for all three.
            F.percentile("roi", F.array(*map(F.lit, QUARTILES.values()))).alias("roi_quartiles"),
            *coverage(),
            share_profitable(),
            F.median("revenue_musd").alias("median_revenue_musd"),
        )
        .withColumns({name: F.col("roi_quartiles")[nth] for nth, name in enumerate(QUARTILES)})
        .orderBy(F.col("movies").desc(), "genre")
        .select(*tables.GENRES.columns)
    )


GENRES = Kpi(tables.GENRES, summarise_genres)
