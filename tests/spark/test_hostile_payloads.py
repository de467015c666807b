"""Payloads with values that nobody can have meant, from raw rows to the report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import pytest

from movies.lake.tables import QUARANTINE, SILVER_MOVIES
from movies.report.dashboard import dashboard_page
from movies.report.gold import Gold
from movies.report.markdown import markdown_report
from movies.report.provenance import Provenance
from movies.report.text import text_report
from spark.checks import run_checks
from spark.engines.session import Engine
from spark.frames import read_table
from spark.kpis import compute_kpis
from spark.payloads import NAME_LISTS, NUMBERS, TEXTS
from tests.spark.lakes import payload, read_rows
from tests.spark.transforming import NewLake, transform

TODAY = dt.date(2026, 11, 24)
MEGABYTE = 10**6


def publish(engine: Engine, lake_root: str) -> tuple[str | None, dict[str, Any]]:
    """Check silver and compute gold; return the errors found, and the tables."""
    movies = read_table(engine.session, SILVER_MOVIES.path(lake_root))
    return run_checks(movies, None, TODAY).describe_failed("error"), compute_kpis(engine.session, lake_root)


def one_each(odd: Iterable[dict[str, Any]]) -> list[tuple[int, str]]:
    """An ordinary movie, and one for each of the odd fields, from the id 10 on."""
    return [(1, payload(1)), *((10 + nth, payload(10 + nth, **one)) for nth, one in enumerate(odd))]


def long_payloads(size: int) -> list[tuple[int, str]]:
    """A payload for each text field, number, date and list, with so many signs in that one."""
    text = "ab " * (size // 3)
    name = [{"name": text}]
    fields = {field: text for field in (*TEXTS, "release_date", *NUMBERS) if field not in ("id", "status")}
    lists = dict.fromkeys(NAME_LISTS, name) | {
        "belongs_to_collection": {"name": text},
        "credits": {"cast": [{"name": text, "order": 0}], "crew": [{"name": text, "job": "Director"}]},
    }
    many = [{"name": f"Name {number}"} for number in range(size // 20)]
    lists |= {f"many {field}": many for field in NAME_LISTS}
    odd = [{field.removeprefix("many "): value} for field, value in (fields | lists).items()]
    return one_each(odd)


@pytest.mark.parametrize("size", [100_000, pytest.param(MEGABYTE, marks=pytest.mark.slow)])
def test_long_values_come_through_to_the_report_or_are_quarantined(
    sail: Engine, new_lake: NewLake, size: int
) -> None:
    lake_root = new_lake(long_payloads(size))

    done = transform(sail.session, lake_root)
    errors, tables = publish(sail, lake_root)

    numbers = len(NUMBERS) - 1
    assert (done.quarantined, done.filtered) == ({"bad_value": numbers + 1}, {})
    assert done.movies == len(long_payloads(size)) - numbers - 1
    assert errors is None
    assert tables["gold/overview"]["movies"].to_pylist() == [done.movies]
    gold = Gold.from_arrow(tables)
    assert len(text_report(gold, Provenance(1))) < 40_000
    assert len(markdown_report(gold, Provenance(1))) < 60_000
    assert len(dashboard_page(tables, Provenance(1))) < 4_000_000


EXTREMES: tuple[dict[str, Any], ...] = (
    {"revenue": 1e307},
    {"revenue": 1.7e308, "budget": -1.7e308},
    {"revenue": 1.7e308, "budget": 1e-300},
    {"revenue": 1e-310, "budget": 1e300},
    {"revenue": 1e-320, "budget": 5e-324},
    {"revenue": -1e18, "budget": 10**17},
    {"vote_count": 2**63 - 1025},
    {"vote_count": 10**18},
    {"popularity": 1.7e308},
    {"popularity": 1.7e308, "runtime": 2**31 - 1},
    {"release_date": "9999-12-31"},
    {"release_date": "0201-05-01"},
    {"release_date": "0001-01-01"},
    {"release_date": "2262-04-12", "belongs_to_collection": {"name": "C"}},
    {"belongs_to_collection": {"name": "C"}},
)


def test_extreme_values_pass_the_checks_and_are_in_silver_and_gold(sail: Engine, new_lake: NewLake) -> None:
    lake_root = new_lake(one_each(EXTREMES))

    done = transform(sail.session, lake_root)
    errors, tables = publish(sail, lake_root)

    assert (done.movies, done.quarantined, done.filtered, errors) == (len(EXTREMES) + 1, {}, {}, None)
    rows = {row["id"]: row for row in read_rows(lake_root, SILVER_MOVIES, by="id")}
    money = ("budget_musd", "revenue_musd", "profit_musd", "roi")
    assert [tuple(rows[movie_id][column] for column in money) for movie_id in (11, 12, 14)] == [
        (-1.7e308 / 1e6, 1.7e308 / 1e6, None, -1.0),
        (1e-300 / 1e6, 1.7e308 / 1e6, 1.7e308 / 1e6, None),
        (None, None, None, None),
    ]
    assert [rows[movie_id]["release_year"] for movie_id in (20, 21, 22, 23)] == [9999, 201, 1, 2262]
    assert {9999, 201, 1, 2262} <= set(tables["gold/years"]["release_year"].to_pylist())
    assert "9999" in text_report(Gold.from_arrow(tables), Provenance(1))


def test_an_odd_payload_takes_none_of_the_others_along(sail: Engine, new_lake: NewLake) -> None:
    nested = "[" * 900 + "]" * 900
    lake_root = new_lake(
        [
            (1, payload(1)),
            (2, f'{{"id": 2, "title": {nested}}}'),
            {"movie_id": 3, "payload": payload(3)},
            {"movie_id": 3, "payload": f'{{"id": 3, "title": {nested}}}', "batch_id": "b2"},
            (4, payload(4, title={"a": "\ud800"})),
        ]
    )

    done = transform(sail.session, lake_root)

    assert (done.movies, done.quarantined) == (3, {"malformed": 2})
    # The last good payload of a movie stays.
    assert [row["id"] for row in read_rows(lake_root, SILVER_MOVIES, by="id")] == [1, 3, 4]
    assert [row["movie_id"] for row in read_rows(lake_root, QUARANTINE, by="movie_id")] == [2, 3]
