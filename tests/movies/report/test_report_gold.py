"""Holding the gold tables."""

from __future__ import annotations

import pytest

from movies.lake import gold_tables as tables
from movies.report.gold import REPORT_TABLES, Gold, IncompleteGold
from tests.movies.report.gold_tables import arrow_table, gold_from_silver, movie, tables_from_silver


def test_a_missing_table_is_named() -> None:
    given = tables_from_silver([movie(1)])
    del given["gold/years"]
    with pytest.raises(IncompleteGold, match="Gold tables missing: gold/years; given: gold/overview, "):
        Gold.from_arrow(given)


def test_a_missing_column_is_named() -> None:
    given = tables_from_silver([movie(1)])
    given["gold/overview"] = given["gold/overview"].drop_columns(["mean_rating"])
    with pytest.raises(IncompleteGold, match="gold/overview lacks the columns mean_rating; given: movies, "):
        Gold.from_arrow(given)


def test_other_tables_and_columns_are_passed_over() -> None:
    given = tables_from_silver([movie(1)])
    given["gold/years"] = given["gold/years"].append_column("since", [[1]])
    gold = Gold.from_arrow({**given, "silver/movies": given["gold/overview"]})
    assert list(gold.tables) == [table.name for table in REPORT_TABLES]
    assert gold.tables["gold/years"].column_names == list(tables.YEARS.columns)


def test_rows_come_by_rank_however_they_are_stored() -> None:
    given = tables_from_silver([movie(1, revenue_musd=5.0), movie(2, revenue_musd=9.0)])
    given["gold/movie_rankings"] = given["gold/movie_rankings"].sort_by([("rank", "descending")])
    given["gold/directors"] = arrow_table(
        tables.DIRECTORS, [{"rank": rank, "director": str(rank)} for rank in (3, 1, 2)]
    )
    gold = Gold.from_arrow(given)
    assert [row["id"] for row in gold.ranking("highest_revenue")] == [2, 1]
    assert [row["director"] for row in gold.rows(tables.DIRECTORS, by="rank", first=2)] == ["1", "2"]


def test_without_rows_there_are_no_movies() -> None:
    given = {table.name: arrow_table(table, []) for table in REPORT_TABLES}
    gold = Gold.from_arrow(given)
    assert gold.movies == 0
    assert gold.overview == {**dict.fromkeys(tables.OVERVIEW.columns), "movies": 0}
    assert [row["movies"] for row in gold.segments()] == [0, 0]


def test_a_sample_of_all_movies_is_no_sample() -> None:
    assert not gold_from_silver([movie(1), movie(2)]).sampled
    given = tables_from_silver([movie(1), movie(2)])
    given["gold/movie_sample"] = given["gold/movie_sample"].slice(0, 1)
    assert Gold.from_arrow(given).sampled
