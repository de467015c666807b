"""The plots as pictures."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import matplotlib
import pytest
from matplotlib import pyplot
from PIL import Image

from movies.report.gold import Gold
from movies.report.plots import PLOTS, describe, render
from movies.report.provenance import ATTRIBUTION, Provenance
from tests.movies.report.drawn_texts import drawn_texts, overlapping
from tests.movies.report.gold_tables import gold_from_silver, movie, tables_from_silver

ODD_TITLES = [
    "七人の侍",
    "$9.99 and $5",
    "Emoji 🎬👩\u200d🚀 Movie",
    "واجب",
    "ואלס עם באשיר",
    "A title that goes on and on, and on, and then on, until no line of any plot can hold it any longer",
    "A|B *bold* <b>[REC]²</b>",
    "लगान",
    "line\nbreak\x00 and null",
    r"x_2^{3} \frac",
]


@pytest.fixture(scope="module")
def odd_gold() -> Gold:
    """Movies whose every name is hard to draw, and whose figures span ten decades."""
    return gold_from_silver(
        [
            movie(
                number,
                title=title,
                director=f"{title}|Ann Field",
                genres=f"Drama|{title.split()[0].replace('|', '/')}",
                belongs_to_collection=title if number % 2 else None,
                release_year=1920 + 11 * number,
                budget_musd=10.0 ** (number % 5 - 2),
                revenue_musd=10.0 ** (number % 7 - 3),
                popularity=10.0 ** (number % 6 - 3),
                vote_average=number % 10 or None,
                vote_count=13**number % 9999,
            )
            for number, title in enumerate(ODD_TITLES * 2)
        ]
    )


@pytest.fixture(params=["18", "1601", "odd", "two", "one", "none"])
def gold(request: pytest.FixtureRequest) -> Gold:
    if request.param in ("two", "one"):
        return gold_from_silver([movie(1), movie(2, revenue_musd=9.5)][: 2 if request.param == "two" else 1])
    fixture = {"18": "gold_18", "1601": "gold_1601", "odd": "odd_gold", "none": "no_gold"}[request.param]
    found: Gold = request.getfixturevalue(fixture)
    return found


def opened(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png))


@pytest.mark.parametrize("name", PLOTS)
def test_texts_are_whole_and_apart(name: str, gold: Gold, provenance: Provenance) -> None:
    width, height = (150 * inches for inches in PLOTS[name].size_inches)
    texts = drawn_texts(name, gold, provenance)
    assert texts
    outside = [
        text.words
        for text in texts
        if text.extent.x0 < 0 or text.extent.y0 < 0 or text.extent.x1 > width or text.extent.y1 > height
    ]
    assert (outside, list(overlapping(texts))) == ([], [])
    assert not any(text.may_be_formula for text in texts)


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_is_a_small_png_of_its_size(name: str, gold_1601: Gold, provenance: Provenance) -> None:
    png = render(name, gold_1601, provenance)
    image = opened(png)
    width, height = PLOTS[name].size_inches
    assert (image.format, image.size) == ("PNG", (round(150 * width), round(150 * height)))
    assert image.info["dpi"] == pytest.approx((150, 150), abs=0.1)
    assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
    assert len(png) < 300_000


@pytest.mark.parametrize("name", PLOTS)
def test_a_dark_plot_is_the_light_one_on_a_dark_sheet(
    name: str, gold_1601: Gold, provenance: Provenance
) -> None:
    light, dark = (opened(render(name, gold_1601, provenance, theme)) for theme in ("light", "dark"))
    assert dark.convert("RGB").getpixel((0, 0)) == (0x14, 0x17, 0x1B)
    assert (dark.size, dark.text) == (light.size, light.text)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_says_in_words_what_it_shows(name: str, odd_gold: Gold, provenance: Provenance) -> None:
    image = opened(render(name, odd_gold, provenance))
    assert image.text == {  # type: ignore[attr-defined]
        "Title": PLOTS[name].title(odd_gold),
        "Description": describe(name, odd_gold),
        "Source": f"Data: TMDB. {ATTRIBUTION}",
    }


@pytest.mark.parametrize("name", PLOTS)
def test_caption_has_source_number_and_notice(name: str, no_gold: Gold, provenance: Provenance) -> None:
    words = [text.words for text in drawn_texts(name, no_gold, provenance)]
    assert words == [
        f"Too few movies for {PLOTS[name].subject}",
        ATTRIBUTION,
        provenance.caption,
        "There is nothing to draw yet.",
    ]


@pytest.mark.parametrize("name", PLOTS)
def test_two_movies_are_called_too_few(name: str) -> None:
    assert "Too few movies for a pattern: 2." in describe(name, gold_from_silver([movie(1), movie(2)]))


def test_figures_that_are_all_unknown_leave_nothing_to_draw() -> None:
    columns = ("genres", "director", "budget_musd", "revenue_musd", "vote_average", "popularity")
    gold = gold_from_silver([movie(number, vote_count=0, **dict.fromkeys(columns)) for number in range(9)])
    empty = {
        name for name in PLOTS if opened(render(name, gold, Provenance(9))) and not PLOTS[name].count(gold)
    }
    assert empty == set(PLOTS) - {"yearly_trends", "franchise_vs_standalone"}


def test_revenues_that_are_all_unknown_still_leave_the_rest_to_draw(provenance: Provenance) -> None:
    gold = gold_from_silver([movie(number, revenue_musd=None) for number in range(9)])
    for name in PLOTS:
        render(name, gold, provenance)
    assert PLOTS["top_directors"].title(gold) == "No director's revenue is known"
    assert PLOTS["yearly_trends"].title(gold) == "9 movies, released in 2000"
    assert PLOTS["genre_performance"].title(gold) == "How genres compare in revenue, rating and popularity"


def test_names_in_missing_scripts_become_a_box(odd_gold: Gold, provenance: Provenance) -> None:
    words = {text.words for text in drawn_texts("top_directors", odd_gold, provenance)}
    assert {"Ann Field", "$9.99 and $5", "واجب", r"x_2^{3} \frac"} <= words


def test_a_peak_at_the_last_year_is_named_inside_the_sheet(provenance: Provenance) -> None:
    gold = gold_from_silver(
        [movie(year, release_year=year, revenue_musd=float(year)) for year in range(1950, 2025)]
    )
    texts = drawn_texts("yearly_trends", gold, provenance)
    (peak,) = [text for text in texts if text.words == "2024: mean $2.0B, n = 1"]
    assert peak.extent.x1 < 1500


def test_a_title_too_long_for_a_line_takes_two_and_then_is_cut(provenance: Provenance) -> None:
    gold = gold_from_silver([movie(1, title="A title that never ends " * 10)])
    texts = drawn_texts("revenue_vs_budget", gold, provenance)
    starts = [text for text in texts if text.words.startswith(("A title", "that never", "never", "ends"))]
    first, second, label = sorted(starts, key=lambda text: -text.extent.y1)
    assert second.words.endswith("…")
    assert label.words == "A title that never ends A title t…"
    assert max(first.extent.x1, second.extent.x1) < 1500


@pytest.mark.slow
def test_threads_draw_the_same_and_leave_nothing_behind(gold_18: Gold, provenance: Provenance) -> None:
    settings = dict(matplotlib.rcParams)
    one_by_one = [render(name, gold_18, provenance) for name in PLOTS]
    with ThreadPoolExecutor(4) as threads:
        at_once = list(threads.map(lambda name: render(name, gold_18, provenance), PLOTS))
    assert at_once == one_by_one
    assert dict(matplotlib.rcParams) == settings
    assert pyplot.get_fignums() == []


def test_a_sample_is_called_one_and_ranked_movies_join_it(provenance: Provenance) -> None:
    movies = [movie(number, revenue_musd=20.0 + number, title=f"Movie {number}") for number in range(40)]
    tables = tables_from_silver(movies)
    tables["gold/movie_sample"] = tables["gold/movie_sample"].slice(0, 20)
    gold = Gold.from_arrow(tables)
    words = [text.words for text in drawn_texts("revenue_vs_budget", gold, replace(provenance, movies=40))]
    assert "Movie 39 earned most: $59M on a budget of $10M" in words
    assert "Movie 39" in words
    assert " Points: a sample of 20 of 40 movies. Median budget $10M" in describe("revenue_vs_budget", gold)
