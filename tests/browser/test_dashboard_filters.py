"""Choosing movies: by filters, by words, by a click, by an address."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from movies.report.provenance import Provenance
from tests.browser.conftest import PROVENANCE, Open
from tests.browser.pages import count, figure, tiles, titles
from tests.movies.report.gold_tables import movie

pytestmark = pytest.mark.browser


def test_without_a_filter_all_movies_are_there(page: Page) -> None:
    assert count(page) == "7 of 7 movies shown."
    assert page.locator("#scope").inner_text() == "Filters act on all 7 movies."
    assert titles(page) == ["Saga Two", "Saga One", "Amélie", "Alpha", "Unseen", "Tiny", "Omega"]
    assert tiles(page)["Movies"] == "7"


# One page for all of them: opening it takes longer than what is looked at.
def test_a_filter_leaves_what_it_says(page: Page) -> None:
    standalone = ["Amélie", "Alpha", "Unseen", "Tiny", "Omega"]
    for chosen, left in (
        ({"genre": "Drama"}, ["Saga Two", "Alpha", "Tiny", "Omega"]),
        ({"franchise": "franchise"}, ["Saga Two", "Saga One"]),
        ({"franchise": "of:Saga Collection", "genre": "Drama"}, ["Saga Two"]),
        ({"franchise": "standalone"}, standalone),
        ({"language": "ja"}, ["Omega"]),
    ):
        for name, value in chosen.items():
            page.select_option(f"#filter-{name}", value)
        page.locator(f"text={len(left)} of 7 movies shown.").wait_for()
        assert (titles(page), tiles(page)["Movies chosen"]) == (left, str(len(left))), chosen
        page.click("button[type=reset]")


def test_years_are_a_range_with_both_ends_in_it(page: Page) -> None:
    page.fill("#filter-from", "2001")
    page.fill("#filter-to", "2008")
    page.locator("text=3 of 7 movies shown.").wait_for()
    assert titles(page) == ["Saga Two", "Saga One", "Amélie"]
    assert tiles(page)["Mean revenue"] == "$291M"


def test_a_search_finds_titles_directors_and_franchises_by_all_words(page: Page) -> None:
    for words, found in (
        ("amelie", ["Amélie"]),
        ("LIND", ["Saga Two", "Saga One"]),
        ("saga moe", ["Saga One"]),
    ):
        page.fill("#filter-q", words)
        page.locator(f"text={len(found)} of 7 movies shown.").wait_for()
        assert titles(page) == found, words


def test_where_nothing_fits_it_says_so_everywhere_and_can_be_cleared(page: Page) -> None:
    page.fill("#filter-q", "no such movie")
    page.locator("#count:has-text('No movie fits these filters.')").wait_for()
    assert titles(page) == ["No movie fits these filters."]
    assert page.locator(".card .empty:visible").count() == 8
    assert page.locator("#figure-top_directors").is_hidden()

    page.click("button[type=reset]")
    page.locator("text=7 of 7 movies shown.").wait_for()
    assert page.locator(".card .empty:visible").count() == 0
    assert "#" not in page.url


def test_an_address_says_what_is_chosen(open_page: Open, dashboard: Path) -> None:
    first = open_page(dashboard)
    first.select_option("#filter-genre", "Drama")
    first.fill("#filter-from", "2008")
    first.locator("text=3 of 7 movies shown.").wait_for()
    address = first.url.partition("#")[2]
    assert address == "genre=Drama&from=2008"

    second = open_page(dashboard, address=f"#{address}")
    assert count(second) == "3 of 7 movies shown."
    assert second.input_value("#filter-genre") == "Drama"

    second.evaluate("location.hash = 'language=ja'")
    second.locator("text=1 of 7 movies shown.").wait_for()


def test_an_address_that_says_nonsense_chooses_nothing(open_page: Open, dashboard: Path) -> None:
    page = open_page(dashboard, address="#genre=%3Cscript%3E&from=abc&other=1")
    assert count(page) == "7 of 7 movies shown."


def test_links_within_the_page_leave_the_filters_alone(page: Page) -> None:
    page.select_option("#filter-genre", "Drama")
    page.click("nav a[href='#tables']")
    assert page.evaluate("document.activeElement.id") == "tables"
    assert page.url.endswith("#genre=Drama")
    assert count(page) == "4 of 7 movies shown."


def test_a_click_on_a_bar_chooses_it(page: Page) -> None:
    figure(page, "franchise_vs_standalone")
    bar = page.locator("#figure-franchise_vs_standalone .bars .point path").first.bounding_box()
    assert bar is not None
    page.mouse.move(bar["x"] + 20, bar["y"] + 20)
    page.mouse.move(bar["x"] + 25, bar["y"] + 25)
    page.mouse.click(bar["x"] + 25, bar["y"] + 25)
    page.locator("text=2 of 7 movies shown.").wait_for()
    assert page.input_value("#filter-franchise") == "franchise"


def test_figures_follow_the_filters(page: Page) -> None:
    [all_directors] = figure(page, "top_directors")
    assert all_directors["x"][:2] == [700_000_000, 300_000_000]
    page.select_option("#filter-genre", "Drama")
    page.locator("text=4 of 7 movies shown.").wait_for()
    [bars] = figure(page, "top_directors")
    assert bars["x"] == [400_000_000, 50_030_000]
    note = page.locator("#figure-top_directors ~ figcaption").inner_text()
    assert note.startswith("2 directors by total revenue.")
    assert note.endswith("Over 4 of 7 movies.")


def test_the_figures_of_all_movies_agree_whether_gold_or_the_page_computes_them(
    open_page: Open, make_dashboard, gold_1601_rows
) -> None:
    page = open_page(make_dashboard(gold_1601_rows, Provenance(len(gold_1601_rows))))
    names = ("yearly_trends", "genre_performance", "top_directors", "franchise_vs_standalone", "roi_by_genre")
    of_gold = {name: figure(page, name) for name in names}
    shown = tiles(page)
    page.fill("#filter-from", "1")
    page.locator("text=1,599 of 1,599 movies shown.").wait_for()
    for name in names:
        for ours, golds in zip(figure(page, name), of_gold[name], strict=True):
            for key, values in golds.items():
                assert _agree(ours[key], values), (name, key)
    found = tiles(page)
    assert found.pop("Movies chosen") == shown.pop("Movies") == "1,599"
    assert found.pop("Earned more than the budget") == "75.1%"
    assert found == {name: figure for name, figure in shown.items() if name in found}


def _agree(ours: Any, golds: Any) -> bool:
    """Whether two values, or lists of them, are the same to a dollar in a million."""
    if isinstance(golds, list):
        return len(ours) == len(golds) and all(map(_agree, ours, golds))
    are_numbers = isinstance(golds, int | float) and isinstance(ours, int | float)
    return math.isclose(ours, golds, rel_tol=1e-6) if are_numbers else bool(ours == golds)


def test_of_a_sample_it_says_what_filters_act_on_and_what_is_over_all(
    open_page: Open, make_dashboard
) -> None:
    rows = [movie(number, genres="Drama" if number % 2 else "War") for number in range(1, 5_101)]
    page = open_page(make_dashboard(rows, PROVENANCE))
    assert count(page) == "5,000 of 5,000 sampled movies shown."
    assert page.locator("#scope").inner_text().startswith("Filters act on a sample of 5,000 of 5,100 movies.")
    assert page.locator("#overview-basis").inner_text() == "Over all 5,100 movies."
    assert page.locator("#movies-basis").inner_text() == "Of a sample of 5,000 of 5,100 movies."

    page.select_option("#filter-genre", "War")
    page.locator("text=2,500 of 5,000 sampled movies shown.").wait_for()
    assert page.locator("#overview-basis").inner_text() == (
        "Over 2,500 chosen movies in a sample of 5,000 of 5,100 movies."
    )
