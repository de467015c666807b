"""Reading it: by keyboard, on a phone, in the dark, on paper, without JavaScript, and soon."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import PROVENANCE, Open
from tests.browser.pages import figure
from tests.movies.report.gold_tables import movie

pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
FIRST_VIEW_SECONDS = 1.5
WHEN_SHOWN = """() => new Promise((done) => {
  const names = ["dashboard-shown", "first-contentful-paint"];
  const look = () => names.every((name) => performance.getEntriesByName(name).length) && done();
  new PerformanceObserver(look).observe({ entryTypes: ["mark", "paint"] });
  look();
})"""
# Every visible text whose contrast with what is behind it is under WCAG's AA.
FAINT_TEXTS = """() => {
  const parse = (colour) => (colour.match(/[\\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const [r, g, b, opaque = 1] = parse(getComputedStyle(at).backgroundColor);
      if (opaque > 0.99) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = texts.nextNode()); ) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility()) continue;
    if (element.closest("script, noscript, style, option, .skip")) continue;
    const style = getComputedStyle(element);
    const colour = parse(element.closest("svg") ? style.fill : style.color);
    if (element.closest(".inside, .bars")) continue; // a label on a bar
    const pair = [light(colour), light(behind(element))].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    const size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    if (ratio < needed) found.push(`${node.data.trim().slice(0, 30)}: ${ratio.toFixed(2)}`);
  }
  return [...new Set(found)];
}"""


def scroll_through(page: Page) -> None:
    for name in page.locator(".plot").evaluate_all("plots => plots.map(p => p.id.replace('figure-', ''))"):
        figure(page, name)


def test_the_first_view_is_there_within_seconds_with_a_full_sample(
    browser: Browser, open_page: Open, make_dashboard
) -> None:
    rows = [
        movie(
            number, title=f"Movie of a usual length, {number}", genres="Drama|War", popularity=number / 9,
            vote_average=number % 90 / 10 + 1, budget_musd=number / 5, revenue_musd=number / 3,
        )
        for number in range(1, 5_001)
    ]  # fmt: skip
    path = make_dashboard(rows)
    # Silent and alone like every other page, which what measures it does not look at.
    open_page(path)
    # The quickest of some, in CPU time: what else the machine does is not the page's doing.
    assert min(first_view(browser, path) for _ in range(3)) < FIRST_VIEW_SECONDS


def first_view(browser: Browser, path: Path) -> float:
    """CPU seconds of the page's thread until tiles and filters were there, and had been painted."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        inspector = context.new_cdp_session(page)
        inspector.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.goto(path.absolute().as_uri(), wait_until="commit")
        page.evaluate(WHEN_SHOWN)
        metrics = inspector.send("Performance.getMetrics")["metrics"]
        return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_in(open_page: Open, dashboard: Path, scheme: str) -> None:
    page = open_page(dashboard, color_scheme=scheme)
    scroll_through(page)
    assert page.evaluate(FAINT_TEXTS) == []


def test_the_theme_follows_the_system_until_somebody_chooses(open_page: Open, dashboard: Path) -> None:
    page = open_page(dashboard, color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == "rgb(16, 22, 29)"
    page.emulate_media(color_scheme="light")
    page.locator("html[data-theme=light]").wait_for(state="attached")
    assert page.evaluate(background) == "rgb(244, 246, 248)"
    figure(page, "top_directors")
    colour = "document.getElementById('figure-top_directors').data[0].marker.color"
    assert page.evaluate(colour) == "#0072b2"

    page.get_by_role("button", name="Dark colours").click()
    assert page.evaluate(background) == "rgb(16, 22, 29)"
    figure(page, "top_directors")
    assert page.evaluate(colour) == "#56b4e9"
    page.reload()
    assert page.evaluate(background) == "rgb(16, 22, 29)"


def test_on_a_phone_nothing_is_wider_than_the_screen(open_page: Open, dashboard: Path) -> None:
    page = open_page(dashboard, **PHONE)
    scroll_through(page)
    wide = page.evaluate("""() => [...document.querySelectorAll("body *")]
      .filter((one) => !one.closest(".scroller > *, svg, .skip"))
      .filter((one) => one.getBoundingClientRect().right > innerWidth + 0.5)
      .map((one) => one.tagName + "#" + one.id + "." + one.className)""")
    assert wide == []
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.locator("#movies-table .scroller").evaluate("element => element.scrollLeft = 200")
    assert page.locator("#movies-table .scroller").evaluate("element => element.scrollLeft") == 200


def test_the_keyboard_reaches_everything_and_shows_where_it_is(page: Page) -> None:
    reached: list[str] = []
    for _ in range(120):
        page.keyboard.press("Tab")
        at = page.evaluate("""() => {
          const at = document.activeElement;
          const style = getComputedStyle(at);
          const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
          const name = at.id || at.getAttribute("href") || `${at.closest(".table")?.id} ${at.className}`;
          return at === document.body ? null : [name, seen && at.getBoundingClientRect().width > 0];
        }""")
        if at is None:
            break
        name, is_seen = at
        assert is_seen, f"the focus on {name} cannot be seen"
        reached.append(name)
    assert reached[0] == "#main"
    fields = [f"filter-{name}" for name in ("q", "genre", "franchise", "language", "from", "to")]
    assert [name for name in reached if name.startswith("filter-")] == fields
    assert {"theme", "listing", "movies-table scroller", "listing-table scroller"} <= set(reached)
    assert reached.count("movies-table dt-column-order") == page.locator("#movies-table th").count()
    clickable = page.evaluate("""() => [...document.querySelectorAll("a, button, input, select")]
      .filter((one) => one.checkVisibility() && one.tabIndex < 0 && !one.disabled &&
                       one.getAttribute("aria-disabled") !== "true")
      .map((one) => one.outerHTML.slice(0, 80))""")
    assert clickable == []


def test_the_skip_link_comes_first_and_leads_to_the_movies(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the movies"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_every_field_has_a_name_and_the_count_is_read_out(page: Page) -> None:
    nameless = page.evaluate("""() => [...document.querySelectorAll("input, select")]
      .filter((one) => !one.labels?.length && !one.getAttribute("aria-label")).map((one) => one.outerHTML)""")
    assert nameless == []
    assert page.locator("#count").get_attribute("aria-live") == "polite"
    for name in page.locator(".plot").evaluate_all("plots => plots.map(p => p.getAttribute('aria-label'))"):
        assert len(name) > 20


def test_on_paper_it_is_light_and_without_what_cannot_be_pressed(open_page: Open, dashboard: Path) -> None:
    page = open_page(dashboard, color_scheme="dark")
    page.emulate_media(media="print")
    assert page.locator("header nav").is_hidden()
    assert page.locator("#filters .fields").is_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".plot .main-svg").count() >= 8, (
        "all figures are drawn, also those nobody scrolled to"
    )
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_without_javascript_it_says_what_is_needed(open_page: Open, dashboard: Path) -> None:
    page = open_page(dashboard, wait=False, java_script_enabled=False)
    assert page.locator("noscript").inner_text().startswith("This page needs JavaScript")
    assert page.locator(".caption").inner_text() == PROVENANCE.caption
    assert page.locator("main").is_hidden()


def test_a_browser_that_cannot_unpack_says_so(open_page: Open, dashboard: Path, tmp_path: Path) -> None:
    page = open_page(dashboard, wait=False)
    page.add_init_script("delete globalThis.DecompressionStream")
    page.reload()
    page.wait_for_selector("html[data-state=failed]", state="attached")
    assert page.locator("#movies-table").inner_text() == (
        "This browser is older than 2023: it cannot unpack figures and tables."
    )
    assert page.locator("#tiles dd").first.inner_text() == "7"
