"""Money that is likely wrong, such as in another unit."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from movies.lake import gold_tables as tables
from spark.kpis.kpi import Kpi, add_rank, in_dollars


@dataclass(frozen=True)
class Suspicion:
    """A sign that a movie's money is wrong."""

    reason: str
    definition: str
    holds: str


# Written as 1e-3, because 0.001 is a decimal, and the engine would convert the other side to one.
SUSPICIONS = (
    Suspicion("budget_under_1000_usd", "A budget under 1,000 dollars.", "budget_musd < 1e-3"),
    Suspicion("revenue_under_1000_usd", "A revenue under 1,000 dollars.", "revenue_musd < 1e-3"),
    Suspicion("budget_over_1000_musd", "A budget over 1,000 MUSD.", "budget_musd > 1000"),
    Suspicion("revenue_over_5000_musd", "A revenue over 5,000 MUSD.", "revenue_musd > 5000"),
    Suspicion("revenue_over_1000_budgets", "A revenue of more than 1,000 times the budget.", "roi > 1000"),
    Suspicion("budget_over_1000_revenues", "A budget of more than 1,000 times the revenue.", "roi < 1e-3"),
    Suspicion("revenue_equals_budget", "A revenue that equals the budget.", "revenue_musd = budget_musd"),
)


def flag_money(movies: DataFrame) -> DataFrame:
    """Return the movies of each suspicion, most votes first, ties by id; a movie may have several."""
    reasons = F.array_compact(F.array(*(_sign(nth) for nth in range(len(SUSPICIONS)))))
    flagged = movies.select(
        "id", "title", "release_year", "roi", "vote_count",
        in_dollars("budget_musd").alias("budget_usd"),
        in_dollars("revenue_musd").alias("revenue_usd"),
        F.explode(reasons).alias("nth"),
    )  # fmt: skip
    counts = flagged.groupBy("nth").agg(F.count("id").alias("movies_with_reason"))
    ranked = add_rank(flagged, F.col("vote_count").desc_nulls_last(), F.col("id"), within=("nth",))
    names = F.array(*(F.lit(suspicion.reason) for suspicion in SUSPICIONS))
    return (
        ranked.filter(F.col("rank") <= tables.LISTED_ROWS)
        .join(counts, "nth")
        .withColumn("reason", F.get(names, F.col("nth")))
        .orderBy("nth", "rank")
        .select(*tables.SUSPICIOUS_MONEY.columns)
    )


def _sign(nth: int) -> Column:
    return F.when(F.expr(SUSPICIONS[nth].holds), F.lit(nth))


SUSPICIOUS_MONEY = Kpi(tables.SUSPICIOUS_MONEY, flag_money)
