"""Figures and names as people read them."""

from __future__ import annotations

import datetime as dt
import math

import pytest
from rich.cells import cell_len

from movies.report import formats
from movies.report.provenance import Provenance


@pytest.mark.parametrize(
    ("musd", "long", "short"),
    [
        (2923.706026, "$2,923.7M", "$2.9B"),
        (1000.0, "$1,000.0M", "$1.0B"),
        (999.6, "$999.6M", "$1.0B"),
        (237.0, "$237.0M", "$237M"),
        (9.95, "$9.9M", "$10M"),
        (1.5, "$1.5M", "$1.5M"),
        (0.0332, "$0.033M", "$33K"),
        (0.000005, "<$0.001M", "<$1K"),
        (0.0, "$0.0M", "$0K"),
        (-110.96, "-$111.0M", "-$111M"),
        (None, "–", "–"),  # noqa: RUF001
        (math.nan, "–", "–"),  # noqa: RUF001
    ],
)
def test_money_keeps_its_unit_or_shortens_it(musd: float | None, long: str, short: str) -> None:
    assert (formats.money(musd), formats.short_money(musd)) == (long, short)


@pytest.mark.parametrize(
    ("musd", "tick"), [(2500.0, "$2.5B"), (250.0, "$250M"), (0.01, "$10K"), (0.0, "$0"), (-50.0, "-$50M")]
)
def test_ticks_are_not_rounded(musd: float, tick: str) -> None:
    assert formats.tick_money(musd) == tick


def test_ratings_name_their_votes() -> None:
    assert formats.rating(8.2341, 31426) == "8.23/10 (31,426 votes)"
    assert formats.rating(7.0, 1) == "7.00/10 (1 vote)"
    assert formats.rating(7.395) == "7.39/10"
    assert formats.rating(None, 3) == "–"  # noqa: RUF001


def test_returns_too_small_to_show_are_not_nothing() -> None:
    assert formats.multiple(12.336) == "12.34x"
    assert formats.multiple(0.0000019) == "<0.01x"
    assert formats.multiple(0.0) == "0.00x"
    assert formats.multiple(None) == "–"  # noqa: RUF001


def test_names_stay_on_their_line() -> None:
    assert formats.movie_name("L'été\nà\x00 Paris", 1999) == "L'été à Paris (1999)"
    assert formats.movie_name("Up", None) == "Up"
    assert formats.names("Joe Russo|Anthony Russo") == "Joe Russo, Anthony Russo"
    assert formats.names(None) == "–"  # noqa: RUF001


def test_width_is_that_of_a_terminal() -> None:
    assert cell_len("七人の侍") == 8
    assert cell_len("été") == 3
    assert cell_len("e\u0301") == 1
    assert formats.shorten("七人の侍", 5) == "七人…"
    assert formats.shorten("Titanic", 7) == "Titanic"


def test_enumerations_end_with_and() -> None:
    assert formats.enumeration(["a"]) == "a"
    assert formats.enumeration(["a", "b"]) == "a and b"
    assert formats.enumeration(["a", "b", "c"]) == "a, b and 1 other"
    assert formats.enumeration(["a", "b", "c", "d"]) == "a, b and 2 others"


def test_caption_names_the_source_and_what_is_known() -> None:
    east = dt.timezone(dt.timedelta(hours=2))
    full = Provenance(1, 7, 0, "c0de", "a1b2", dt.datetime(2026, 11, 20, 1, 30, tzinfo=east))
    assert full.caption == (
        "Data: TMDB · 1 movie · fetched until 2026-11-19 23:30 UTC"
        " · raw v7 · silver v0 · code c0de · run a1b2"
    )
    assert Provenance(1599).caption == "Data: TMDB · 1,599 movies"
