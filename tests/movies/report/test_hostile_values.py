"""Report, plots and dashboard of movies whose figures, dates and names nobody can have meant."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import pyarrow as pa
import pytest
from fontTools.fontBuilder import FontBuilder
from matplotlib import font_manager
from rich.cells import cell_len

from movies.lake.gold_tables import MOVIE_SAMPLE
from movies.report import formats, style
from movies.report.dashboard import dashboard_page
from movies.report.dashboard.data import collect
from movies.report.gold import Gold
from movies.report.markdown import markdown_report
from movies.report.plots import PLOTS, describe, headline, render
from movies.report.provenance import Provenance
from movies.report.text import text_report
from tests.movies.report.drawn_texts import drawn_texts, overlapping
from tests.movies.report.gold_tables import gold_from_silver, movie, tables_from_silver

MEGABYTE = 10**6
PROVENANCE = Provenance(30)
ORDINARY = [
    movie(
        number,
        release_year=1990 + number,
        budget_musd=10.0 + number,
        revenue_musd=30.0 + 5 * number,
        genres="Drama|Comedy" if number % 2 else "Drama",
        director=f"Director {number % 4}",
        vote_average=5.0 + number / 10,
    )
    for number in range(20)
]
EXTREMES: dict[str, list[dict[str, Any]]] = {
    "money": [movie(900, revenue_musd=1e301, budget_musd=1e300), movie(901, revenue_musd=-1e301)],
    "returns": [movie(900, revenue_musd=1e302, budget_musd=1e-305, roi=None)],
    "votes": [movie(900, vote_count=10**18), movie(901, vote_count=2**63 - 1025)],
    "popularity": [movie(900, popularity=1.7e308), movie(901, popularity=-1.7e308)],
    "ratings": [movie(900, vote_average=1e300), movie(901, vote_average=-1e20)],
    "runtime": [movie(900, runtime=2**31 - 1)],
}
YEARS = [movie(900 + nth, release_year=year) for nth, year in enumerate((1, 201, 2262, 9999))]
LONG = [
    movie(
        900 + nth,
        title=text,
        director="|".join((text, "Ann Field")),
        genres="|".join((text, "Drama")),
        belongs_to_collection=text,
        original_language=text,
        revenue_musd=900.0,
        vote_count=10_000,
        popularity=500.0,
        vote_average=9.9,
    )
    for nth, text in enumerate(("x" * MEGABYTE, "ab " * (MEGABYTE // 3), "映" * (MEGABYTE // 3)))
]
MANY = [movie(910, genres="|".join(f"Genre {number}" for number in range(2_000)))]


@pytest.fixture(scope="module")
def extreme_gold() -> Gold:
    """Ordinary movies with every extreme at once."""
    odd = [row for rows in (*EXTREMES.values(), YEARS, LONG) for row in rows]
    return gold_from_silver([*ORDINARY, *({**row, "id": 900 + nth} for nth, row in enumerate(odd))])


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_of_every_extreme_at_once_is_drawn_and_says_what_it_leaves_out(
    extreme_gold: Gold, name: str
) -> None:
    words = [text.words for text in drawn_texts(name, extreme_gold, PROVENANCE)]
    assert max(map(len, words)) < 400
    assert "are beyond all axes and left out." in " ".join(words)
    assert headline(name, extreme_gold)[:20] in " ".join(words)
    assert len(describe(name, extreme_gold)) < 10_000


@pytest.mark.slow
@pytest.mark.parametrize("name", PLOTS)
@pytest.mark.parametrize(
    "rows", [*EXTREMES.values(), YEARS, LONG, MANY], ids=[*EXTREMES, "years", "long", "many"]
)
def test_a_plot_of_one_kind_of_extremes_is_drawn(name: str, rows: list[dict[str, Any]]) -> None:
    gold = gold_from_silver([*ORDINARY, *rows])
    assert render(name, gold, PROVENANCE).startswith(b"\x89PNG")
    assert len(describe(name, gold)) < 10_000


def test_the_report_and_the_page_of_every_extreme_are_no_longer_than_others(extreme_gold: Gold) -> None:
    started = time.perf_counter()
    text, markdown = text_report(extreme_gold, PROVENANCE), markdown_report(extreme_gold, PROVENANCE)
    page = dashboard_page(extreme_gold.tables, PROVENANCE)

    # A second here; a loop that looks at a long name again for each of its signs takes hours.
    assert time.perf_counter() - started < 20
    assert max(map(cell_len, text.splitlines())) <= 150
    assert len(text) < 20_000 and len(markdown) < 60_000
    [data] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert len(data) < 100_000
    for value in _values(json.loads(data)):
        assert not isinstance(value, str) or len(value) <= 5_000
        assert not isinstance(value, float) or abs(value) <= 1e30


def _values(data: Any) -> Iterator[Any]:
    inner = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    for value in inner:
        yield value
        yield from _values(value)


def test_joined_names_are_cut_between_names() -> None:
    names = [f"Director {number}" for number in range(20_000)]
    tables = tables_from_silver([movie(1)])
    sample = tables[MOVIE_SAMPLE.name]
    place = sample.column_names.index("director")
    tables[MOVIE_SAMPLE.name] = sample.set_column(place, "director", pa.array(["|".join(names)]))

    [directors] = collect(tables, PROVENANCE, None)["movies"]["director"]

    assert 4_900 < len(directors) <= 5_000
    assert directors.split("|") == names[: directors.count("|") + 1]


def test_years_far_from_the_others_are_left_out_in_words() -> None:
    gold = gold_from_silver([*ORDINARY, *YEARS])

    texts = drawn_texts("yearly_trends", gold, PROVENANCE)

    words = [text.words for text in texts]
    assert (
        "20 movies by release year, 1990 to 2009. 4 movies of far-off years not shown: 1, 201 and 2 others."
        in words
    )
    ticks = [int(word) for word in words if re.fullmatch(r"\d{4}", word)]
    assert len(ticks) > 5 and min(ticks) >= 1985 and max(ticks) <= 2015
    assert list(overlapping(texts)) == []
    assert "9999" not in " ".join(words)


def test_years_that_are_all_alike_far_off_are_drawn() -> None:
    gold = gold_from_silver([movie(1, release_year=9999), movie(2, release_year=9998)])
    assert "2 movies by release year, 9998 to 9999" in describe("yearly_trends", gold)


def test_colours_of_years_are_those_of_the_years_that_are_near() -> None:
    words = [
        text.words
        for text in drawn_texts("revenue_vs_budget", gold_from_silver([*ORDINARY, *YEARS]), PROVENANCE)
    ]
    ticks = [int(word) for word in words if re.fullmatch(r"\d{4}", word)]
    assert len(ticks) > 3 and min(ticks) >= 1985 and max(ticks) <= 2015
    assert "Years outside 1990 to 2009 have the colours of these." in " ".join(words)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("revenue_vs_budget", marks=pytest.mark.slow),
        "yearly_trends",
        pytest.param("top_directors", marks=pytest.mark.slow),
        "popularity_vs_rating",
    ],
)
def test_huge_money_and_votes_have_axes_that_can_be_read(name: str) -> None:
    rich = movie(
        900, revenue_musd=1e12, budget_musd=1e11, vote_count=10**15, popularity=1e6, release_year=2005
    )
    texts = drawn_texts(name, gold_from_silver([*ORDINARY, rich]), PROVENANCE)
    assert list(overlapping(texts)) == []
    figures = [text.words for text in texts if re.fullmatch(r"-?\$?[\d.,]+(e\d+)?[KMBT]?", text.words)]
    assert len(figures) > 5 and max(map(len, figures)) <= 11


@pytest.mark.parametrize(
    ("musd", "long", "short", "tick"),
    [
        (1e6, "$1,000,000.0M", "$1.0T", "$1T"),
        (2.5e8, "$250,000,000.0M", "$250.0T", "$250T"),
        (1e12, "$1.0e18", "$1.0e18", "$1e18"),
        (-1.5e12, "-$1.5e18", "-$1.5e18", "-$1.5e18"),
        (float("inf"), formats.UNKNOWN, formats.UNKNOWN, None),
    ],
)
def test_huge_money_is_written_with_an_exponent(musd: float, long: str, short: str, tick: str | None) -> None:
    assert (formats.money(musd), formats.short_money(musd)) == (long, short)
    assert tick is None or formats.tick_money(musd) == tick


def test_long_texts_are_cut_before_they_are_looked_at() -> None:
    assert formats.one_line("x" * MEGABYTE) == f"{'x' * (formats.LONGEST - 1)}…"
    assert formats.names("|".join(["name"] * MEGABYTE)).endswith("…")
    assert formats.shorten("映" * formats.LONGEST, 5) == "映映…"
    assert formats.shorten("e\u0301" * formats.LONGEST, 3) == "e\u0301e\u0301…"
    assert formats.one_line("x" * formats.LONGEST) == "x" * formats.LONGEST


def test_settings_of_a_user_change_no_plot() -> None:
    gold = gold_from_silver([*ORDINARY, movie(900, title="$x_1^2$ for \\$5", revenue_musd=900.0)])
    drawn = render("revenue_vs_budget", gold, PROVENANCE)
    users = {
        "text.usetex": True, "text.parse_math": True, "font.size": 30.0, "font.family": "serif",
        "lines.linewidth": 9.0, "axes.facecolor": "black", "axes.prop_cycle": matplotlib.cycler(color="rgb"),
        "axes.formatter.use_mathtext": True, "figure.dpi": 30.0, "figure.constrained_layout.use": True,
        "path.sketch": (1, 100, 2), "xtick.top": True, "axes.xmargin": 0.4, "text.hinting": "none",
    }  # fmt: skip
    with matplotlib.rc_context(users):
        assert render("revenue_vs_budget", gold, PROVENANCE) == drawn
        assert matplotlib.rcParams["font.size"] == 30.0


@pytest.fixture
def font_with_film(tmp_path: Path) -> Iterator[str]:
    """The sign 映, in a font of a name that is looked for."""
    builder = FontBuilder(1000)
    builder.setupGlyphOrder([".notdef", "film"])
    builder.setupCharacterMap({ord("映"): "film"})
    builder.setupGlyf({".notdef": _square(), "film": _square()})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "film": (1000, 0)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Noto Sans CJK JP", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    path = tmp_path / "film.ttf"
    builder.save(path)
    fonts = font_manager.fontManager
    installed = list(fonts.ttflist)
    fonts.addfont(path)
    _forget_fonts()
    yield "映"
    fonts.ttflist[:] = installed
    _forget_fonts()


def _square() -> Any:
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for corner in ((100, 700), (900, 700), (900, 0)):
        pen.lineTo(corner)
    pen.closePath()
    return pen.glyph()


def _forget_fonts() -> None:
    style.font_families.cache_clear()
    style._signs.cache_clear()
    font_manager.fontManager._findfont_cached.cache_clear()  # type: ignore[attr-defined]


def test_signs_of_other_scripts_are_drawn_by_a_font_that_has_them(font_with_film: str) -> None:
    title = f"{font_with_film} 1"
    gold = gold_from_silver([*ORDINARY, movie(900, title=title, revenue_musd=900.0)])
    assert title in [text.words for text in drawn_texts("revenue_vs_budget", gold, PROVENANCE)]


def test_signs_that_no_font_has_are_a_box_and_no_warning() -> None:
    gold = gold_from_silver([*ORDINARY, movie(900, title="\U000f0000 \U0001d173 ꯫꯫ 1", revenue_musd=900.0)])
    assert any("□" in text.words for text in drawn_texts("revenue_vs_budget", gold, PROVENANCE))
