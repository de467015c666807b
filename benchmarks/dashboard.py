"""Measure the size and the loading time of dashboards: `uv run python benchmarks/dashboard.py FILE…`.

Open each dashboard from the disk in Chromium (on PATH) several times, and print the medians.
"""

from __future__ import annotations

import shutil
import statistics
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

TRIES = 5
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu")
NOW = "performance.now()"
FIRST_VIEW = "performance.getEntriesByName('dashboard-shown')[0].startTime"


def open_once(browser: Browser, path: Path) -> tuple[float, float]:
    """Return the milliseconds until tiles and filters are shown, and until tables and figures are too."""
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto(path.absolute().as_uri())
    page.wait_for_selector("html[data-state=ready]", state="attached")
    times = page.evaluate(FIRST_VIEW), page.evaluate(NOW)
    page.close()
    return times


def main() -> None:
    """Measure the files named on the command line."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        for path in map(Path, sys.argv[1:]):
            tries = [open_once(browser, path) for _ in range(TRIES)]
            first, whole = (statistics.median(times) / 1000 for times in zip(*tries, strict=True))
            megabytes = path.stat().st_size / 1e6
            print(f"{path}: {megabytes:.1f} MB, first view {first:.1f} s, complete {whole:.1f} s")  # noqa: T201
        browser.close()


if __name__ == "__main__":
    main()
