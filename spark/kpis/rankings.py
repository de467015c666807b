"""Rankings: the first movies by one value each."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from movies.lake import gold_tables as tables
from spark.kpis.kpi import Kpi, add_rank


@dataclass(frozen=True)
class Ranking:
    """Movies by one value, highest first by default; equal values by `tie`, highest first, then by id."""

    name: str
    definition: str
    value: str
    lowest_first: bool = False
    among: str = "true"
    tie: str = "0"


# Larger films only, because a small budget makes any return look great.
_BUDGET = "budget_musd >= 10"
_VOTES = "vote_count >= 10"

RANKINGS = (
    Ranking("highest_revenue", "Highest revenue.", "revenue_musd"),
    Ranking("highest_budget", "Highest budget.", "budget_musd"),
    Ranking("highest_profit", "Highest profit.", "profit_musd"),
    Ranking("lowest_profit", "Lowest profit, or greatest loss.", "profit_musd", lowest_first=True),
    Ranking("highest_roi", "Highest return on a budget of 10 MUSD or more.", "roi", among=_BUDGET),
    Ranking("lowest_roi", "Lowest return on a budget of 10 MUSD or more.", "roi", True, among=_BUDGET),
    Ranking("most_voted", "Most votes.", "vote_count"),
    Ranking("most_popular", "Highest popularity.", "popularity"),
    Ranking("highest_rated", "Best rating by 10 votes or more.", "vote_average", False, _VOTES, "vote_count"),
    Ranking("lowest_rated", "Worst rating by 10 votes or more.", "vote_average", True, _VOTES, "vote_count"),
)


def rank_movies(movies: DataFrame) -> DataFrame:
    """Return the first places of every ranking; movies without the value are left out."""
    names = F.array(*(F.lit(ranking.name) for ranking in RANKINGS))
    shown = [column for column in tables.MOVIE_RANKINGS.columns if column not in ("ranking", "rank", "value")]
    return (
        first_places(movies)
        .join(movies.select(*shown), "id")
        .withColumn("ranking", F.element_at(names, F.col("nth") + 1))
        .orderBy("nth", "rank")
        .select(*tables.MOVIE_RANKINGS.columns)
    )


def first_places(movies: DataFrame) -> DataFrame:
    """Return `nth` (the ranking), `rank`, `id` and `value` of all rankings in one pass over few columns."""
    candidacies = F.array(*(_candidacy(nth, ranking) for nth, ranking in enumerate(RANKINGS)))
    candidates = movies.select("id", F.explode(candidacies).alias("it")).filter("it.value is not null")
    order = (F.col("ascending"), F.col("tie"), F.col("id"))
    ranked = add_rank(candidates.select("id", "it.*"), *order, within=("nth",))
    return ranked.filter(F.col("rank") <= tables.RANKING_PLACES).select("nth", "rank", "id", "value")


def _candidacy(nth: int, ranking: Ranking) -> Column:
    value = F.col(ranking.value).cast("double")
    keys = F.struct(
        F.lit(nth).alias("nth"),
        value.alias("value"),
        (value if ranking.lowest_first else -value).alias("ascending"),
        (-F.expr(ranking.tie).cast("double")).alias("tie"),
    )
    return F.when(F.expr(ranking.among), keys)


MOVIE_RANKINGS = Kpi(tables.MOVIE_RANKINGS, rank_movies)
