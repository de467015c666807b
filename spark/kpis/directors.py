"""Directors, each credited with every movie they directed or co-directed."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from movies.lake import gold_tables as tables
from spark.kpis.figures import FIGURE_COLUMNS, coverage
from spark.kpis.kpi import Kpi, add_rank, explode_names, in_dollars, total


def rank_directors(movies: DataFrame) -> DataFrame:
    """Return every director by total revenue, then name."""
    directors = (
        explode_names(movies.select("director", *FIGURE_COLUMNS), "director", "director")
        .groupBy("director")
        .agg(
            F.count("director").alias("movies"),
            total("revenue_musd").alias("total_revenue_musd"),
            F.avg("vote_average").alias("mean_rating"),
            *coverage(),
        )
    )
    ranked = add_rank(directors, in_dollars("total_revenue_musd").desc(), F.col("director"))
    return ranked.orderBy("rank").select(*tables.DIRECTORS.columns)


DIRECTORS = Kpi(tables.DIRECTORS, rank_directors)
