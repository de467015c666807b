"""Dashboards opened from a disk in Chromium; each must be silent and ask nobody for anything."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from movies.report.output_files import write_dashboard
from movies.report.provenance import Provenance
from tests.movies.report.conftest import silver_rows
from tests.movies.report.gold_tables import movie, tables_from_silver

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
DRAWN = "html[data-state=ready]"
PROVENANCE = Provenance(7, 2, 3, "c0de1234", "a1b2c3d4", dt.datetime(2026, 11, 20, 14, 3, tzinfo=dt.UTC))
# Seven movies that differ in everything a filter or an order looks at.
MOVIES = [
    movie(1, title="Alpha", release_year=1990, genres="Drama", original_language="en", revenue_musd=50.0),
    movie(
        2, title="Amélie", release_year=2001, genres="Comedy|Romance", original_language="fr",
        director="Jean-Pierre Jeunet", revenue_musd=174.0, vote_average=7.9,
    ),
    movie(
        3, title="Saga One", release_year=2005, genres="Action", belongs_to_collection="Saga Collection",
        director="Bo Lind|Cy Moe", revenue_musd=300.0, original_language="en",
    ),
    movie(
        4, title="Saga Two", release_year=2008, genres="Action|Drama", director="Bo Lind",
        belongs_to_collection="Saga Collection", revenue_musd=400.0, original_language="en",
    ),
    movie(5, title="Omega", release_year=2010, genres="Drama", original_language="ja", revenue_musd=None),
    movie(6, title="Tiny", release_year=2012, genres="Drama", original_language="en", revenue_musd=0.03),
    movie(7, title="Unseen", release_year=2020, genres=None, vote_count=0, vote_average=None, director=None),
]  # fmt: skip

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        reason = "Chromium is not here (Debian: apt-get install chromium)"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Open a file in a browser of its own; at the end it has said and asked nothing."""
    contexts: list[BrowserContext] = []
    said: list[str] = []
    asked: list[str] = []

    def open_it(path: Path, *, address: str = "", wait: bool = True, **options: Any) -> Page:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: asked.append(request.url.partition("#")[0]))
        page.goto(path.absolute().as_uri() + address)
        if wait:
            page.wait_for_selector(DRAWN, state="attached")
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert said == []
    assert {url for url in asked if not url.startswith(("file:", "data:"))} == set()
    assert len({url for url in asked if url.startswith("file:")}) <= len(contexts)


@pytest.fixture(scope="session")
def make_dashboard(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Write the dashboard of some silver rows, or of gold tables."""

    def make(
        rows: list[dict[str, Any]],
        provenance: Provenance = PROVENANCE,
        more: Mapping[str, pa.Table] | None = None,
        quality: pa.Table | None = None,
    ) -> Path:
        tables = tables_from_silver(rows) | dict(more or {})
        return write_dashboard(tmp_path_factory.mktemp("dashboard"), tables, provenance, quality)

    return make


@pytest.fixture(scope="session")
def dashboard(make_dashboard: Callable[..., Path]) -> Path:
    """The dashboard of the seven movies."""
    return make_dashboard(MOVIES)


@pytest.fixture
def page(open_page: Open, dashboard: Path) -> Page:
    """That dashboard, opened."""
    return open_page(dashboard)


@pytest.fixture(scope="session")
def gold_1601_rows(shared_data: Path) -> list[dict[str, Any]]:
    """The silver rows of 1,601 real payloads."""
    return silver_rows(shared_data / "reference" / "expected_silver_1601.ndjson.gz")
