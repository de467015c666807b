"""The tables: sorted by mouse and keyboard, and what titles say is text."""

from __future__ import annotations

import pyarrow as pa
import pytest
from playwright.sync_api import Page

from movies.lake.arrow import arrow_schema
from movies.lake.gold_tables import FRANCHISES
from movies.lake.tables import DATA_QUALITY
from movies.report.provenance import Provenance
from tests.browser.conftest import MOVIES, PROVENANCE, Open
from tests.browser.pages import count, figure, titles
from tests.movies.report.gold_tables import movie

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=alert(1)></script><script>alert(2)</script> <b>\"bold\"</b> 'it' & $x^2$ 映画"


def test_a_click_sorts_and_unknown_values_stand_last_both_ways(page: Page) -> None:
    heading = page.locator("#movies-table th", has_text="Revenue")
    assert titles(page)[-1] == "Omega", "its revenue is not known"
    heading.click()
    heading.and_(page.locator("[aria-sort=ascending]")).wait_for()
    assert titles(page) == ["Tiny", "Unseen", "Alpha", "Amélie", "Saga One", "Saga Two", "Omega"]


def test_the_keyboard_sorts(page: Page) -> None:
    heading = page.locator("#movies-table th", has_text="Title")
    heading.get_by_role("button").press("Enter")
    heading.and_(page.locator("[aria-sort=ascending]")).wait_for()
    assert titles(page) == ["Alpha", "Amélie", "Omega", "Saga One", "Saga Two", "Tiny", "Unseen"]


def test_each_table_can_be_chosen_and_says_what_it_is(page: Page) -> None:
    offered = page.locator("#listing option").all_inner_texts()
    assert {"Rankings", "Directors", "Franchises", "Genres", "Years"} <= set(offered)
    page.select_option("#listing", "franchises")
    assert page.locator("#listing-basis").inner_text() == "1 row of gold/franchises."
    assert page.locator("#listing-table th").all_inner_texts()[:3] == ["Rank", "Franchise", "Movies"]
    assert page.locator("#listing-table tbody td").all_inner_texts()[1] == "Saga Collection"
    heading = page.locator("#listing-table th").first
    assert heading.get_attribute("title") == FRANCHISES.columns["rank"].meaning


def test_a_table_is_searched(page: Page) -> None:
    page.select_option("#listing", "genres")
    page.locator("#listing-table input[type=search]").fill("rom")
    assert page.locator("#listing-table tbody td:first-child").all_inner_texts() == ["Romance"]


def test_what_titles_say_is_text_in_every_place(open_page: Open, make_dashboard) -> None:
    hostile = movie(
        8, title=HOSTILE, genres=HOSTILE.replace("|", "/"), director=HOSTILE, belongs_to_collection=HOSTILE,
        original_language="<b>", revenue_musd=900.0,
    )  # fmt: skip
    page = open_page(make_dashboard([*MOVIES, hostile], Provenance(8)))
    assert titles(page)[0] == HOSTILE
    for name in ("revenue_vs_budget", "roi_by_genre", "top_directors", "genre_performance"):
        figure(page, name)
    for listing in page.locator("#listing option").evaluate_all("options => options.map(o => o.value)"):
        page.select_option("#listing", listing)
    assert page.locator("img, #movies-table script, #movies-table b, #figure-list b").count() == 0
    ticks = page.locator("#figure-top_directors .ytick text").all_text_contents()
    assert HOSTILE[:25] + "…" in ticks
    page.fill("#filter-q", "<img src=x")
    page.locator("text=1 of 8 movies shown.").wait_for()
    assert page.url.endswith("#q=%3Cimg+src%3Dx")


def test_figures_dates_and_names_that_nobody_can_have_meant_leave_a_page_that_can_be_read(
    open_page: Open, make_dashboard
) -> None:
    odd = [
        movie(20, title="x" * 1_000_000, revenue_musd=1e301, budget_musd=1e300, director="d " * 100_000),
        movie(21, vote_count=2**62, popularity=1.7e308, vote_average=1e300),
        movie(22, revenue_musd=1e12, budget_musd=1e11, vote_count=10**15),
        *(movie(30 + nth, release_year=year) for nth, year in enumerate((1, 201, 9999))),
    ]
    page = open_page(make_dashboard([*MOVIES, *odd], Provenance(13)))
    for name in ("revenue_vs_budget", "roi_by_genre", "popularity_vs_rating", "rating_distribution"):
        figure(page, name)
    years = [year for trace in figure(page, "yearly_trends") for year in trace["x"]]
    assert min(years) > 1900 and max(years) < 2100
    assert (
        "3 movies of far-off years not shown."
        in page.locator("#figure-yearly_trends").locator("..").inner_text()
    )
    assert "$1.0e18" in page.locator("#movies-table").inner_text()
    assert max(map(len, titles(page))) <= 500


def test_no_movies_make_a_page_that_says_so(open_page: Open, make_dashboard) -> None:
    page = open_page(make_dashboard([], Provenance(0)))
    assert count(page) == "There are no movies yet."
    assert page.locator(".card .empty:visible").count() == 8
    assert (
        page.locator("#freshness").inner_text() == "It is not known here until when these data were fetched."
    )
    assert page.locator("#quality-basis").inner_text() == (
        "What the checks found of just these tables is not known here."
    )


def test_failed_checks_come_first_and_are_named(open_page: Open, make_dashboard) -> None:
    checks = [
        {"check": "unique_ids", "status": "passed", "severity": "error"},
        {
            "check": "rating_range",
            "status": "failed",
            "severity": "error",
            "failing_rows": 2,
            "examples": "5, 6",
        },
        {"check": "movie_count", "status": "skipped", "severity": "error"},
    ]
    quality = pa.Table.from_pylist(checks, schema=arrow_schema(DATA_QUALITY))
    page = open_page(make_dashboard(MOVIES, PROVENANCE, None, quality))
    assert page.locator("#quality-basis").inner_text().startswith("Failed: rating_range.")
    assert page.locator("#quality-table tbody tr").first.inner_text().split("\t")[:2] == [
        "Rating range",
        "failed",
    ]
    assert page.locator("#provenance").inner_text().count("Checks") == 3
    assert page.locator("#freshness").inner_text().startswith("Fetched until 2026-11-20 14:03 UTC, ")
