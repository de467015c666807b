"""What a reader sees of a dashboard."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page


def titles(page: Page) -> list[str]:
    """The movies on the first page of the table, from the top."""
    return page.locator("#movies-table tbody tr td:first-child").all_inner_texts()


def count(page: Page) -> str:
    """The sentence that says how many movies are shown."""
    return page.locator("#count").inner_text()


def tiles(page: Page) -> dict[str, str]:
    """The figures of the overview by name."""
    found = page.locator("#tiles > div")
    return {
        found.nth(place).locator("dt").inner_text(): found.nth(place).locator("dd").first.inner_text()
        for place in range(found.count())
    }


def figure(page: Page, name: str) -> list[dict[str, Any]]:
    """What a figure draws, once it has been scrolled to."""
    plot = page.locator(f"#figure-{name}")
    plot.scroll_into_view_if_needed()
    plot.locator(".main-svg").first.wait_for()
    traces: list[dict[str, Any]] = plot.evaluate(
        """plot => plot.data.map(
            ({x, y, text, customdata, q1, median, q3}) => ({x, y, text, customdata, q1, median, q3}))"""
    )
    return traces
