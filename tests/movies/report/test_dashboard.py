"""The dashboard's one file: what it carries, what it lets run, how large it gets."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import hashlib
import json
import re
import subprocess
import sys
from typing import Any

import pyarrow as pa
import pytest

from movies.lake.arrow import arrow_schema
from movies.lake.gold_tables import DIRECTORS, MOVIE_SAMPLE, OVERVIEW
from movies.lake.tables import DATA_QUALITY
from movies.report.dashboard import dashboard_page
from movies.report.dashboard.libraries import MissingLibraryError, as_script, data_tables, plotly
from movies.report.output_files import write_dashboard
from movies.report.provenance import ATTRIBUTION, Provenance
from tests.movies.report.gold_tables import movie, tables_from_silver

PROVENANCE = Provenance(2, 2, 3, "c0de1234", "a1b2c3d4", dt.datetime(2026, 11, 20, 14, 3, tzinfo=dt.UTC))
HOSTILE = "</script><script>alert(1)</script> <!-- \"quoted\" 'it' & \\ \u2028 \u202e 映画 {{data}} \x00"
MEGABYTE = 1_000_000


def data_of(page: str) -> dict[str, Any]:
    """The data that a page carries, read as its script reads them."""
    [text] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    data: dict[str, Any] = json.loads(text)
    return data


def quality(*checks: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(checks), schema=arrow_schema(DATA_QUALITY))


@pytest.fixture(scope="module")
def page() -> str:
    tables = tables_from_silver(
        [
            movie(
                2,
                title="Found",
                budget_musd=3.0,
                revenue_musd=1.0,
                genres="Drama|War",
                original_language="fr",
            ),
            movie(1, title="Lost", belongs_to_collection="Lost Collection", runtime=90),
        ]
    )
    return dashboard_page(tables, PROVENANCE, quality({"check": "unique_ids", "status": "passed", "rows": 2}))


def test_it_carries_the_movies_as_columns_with_what_filters_need(page: str) -> None:
    assert data_of(page)["movies"] == {
        "id": [1, 2],
        "title": ["Lost", "Found"],
        "release_year": [2000, 2000],
        "genres": ["Drama", "Drama|War"],
        "belongs_to_collection": ["Lost Collection", None],
        "director": ["Ann Field", "Ann Field"],
        "budget_musd": [10.0, 3.0],
        "revenue_musd": [20.0, 1.0],
        "profit_musd": [10.0, -2.0],
        "roi": [2.0, 0.333333],
        "vote_count": [100, 100],
        "vote_average": [6.0, 6.0],
        "popularity": [5.0, 5.0],
        "runtime": [90, None],
        "original_language": [None, "fr"],
    }


def test_it_says_where_the_data_come_from_and_what_the_checks_found(page: str) -> None:
    data = data_of(page)
    assert data["provenance"] == {
        "movies": 2,
        "fetched_until": "2026-11-20T14:03:00+00:00",
        "raw_version": 2,
        "silver_version": 3,
        "code_version": "c0de1234",
        "run_id": "a1b2c3d4",
    }
    assert data["quality"] == {name: [None] for name in DATA_QUALITY.columns} | {
        "check": ["unique_ids"],
        "status": ["passed"],
        "rows": [2],
    }
    assert f"<p>{ATTRIBUTION}</p>" in page
    assert f'<p class="caption">{PROVENANCE.caption}</p>' in page


def test_listings_are_in_the_order_of_their_ranks_and_say_how_many_rows_there_are(page: str) -> None:
    listings = data_of(page)["listings"]
    assert listings["directors"] == {
        "title": "Directors",
        "table": "gold/directors",
        "rows": 1,
        "columns": {
            "rank": [1],
            "director": ["Ann Field"],
            "movies": [2],
            "total_revenue_musd": [21.0],
            "mean_rating": [6.0],
            "movies_with_revenue": [2],
        },
    }
    assert listings["genres"]["columns"]["genre"] == ["Drama", "War"]
    assert "actors" not in listings, "tables that were not handed in are left out"


def test_without_checks_of_these_tables_it_says_so() -> None:
    assert data_of(dashboard_page(tables_from_silver([movie(1)]), PROVENANCE))["quality"] is None


def test_whatever_a_title_says_stays_data() -> None:
    tables = tables_from_silver([movie(1, title=HOSTILE, director=HOSTILE, genres=HOSTILE)])
    page = dashboard_page(tables, PROVENANCE)
    data = data_of(page)
    assert data["movies"]["title"] == [HOSTILE]
    assert data["listings"]["directors"]["columns"]["director"] == [HOSTILE]
    harmless = dashboard_page(tables_from_silver([movie(1)]), PROVENANCE)
    assert re.findall("<[!/]?[a-zA-Z-]+", page) == re.findall("<[!/]?[a-zA-Z-]+", harmless)
    assert "alert(1)" not in page.partition('id="data">')[0] + page.partition('id="packed-tables">')[2]


def test_figures_that_are_no_numbers_are_unknown() -> None:
    tables = tables_from_silver([movie(1, budget_musd=None, revenue_musd=None)])
    sample = tables[MOVIE_SAMPLE.name]
    odd = pa.array([float("nan")]), pa.array([float("inf")])
    for name, values in zip(("budget_musd", "roi"), odd, strict=True):
        sample = sample.set_column(sample.column_names.index(name), name, values)
    movies = data_of(dashboard_page(tables | {MOVIE_SAMPLE.name: sample}, PROVENANCE))["movies"]
    assert (movies["budget_musd"], movies["roi"]) == ([None], [None])


def test_no_movies_make_a_page() -> None:
    data = data_of(dashboard_page(tables_from_silver([]), Provenance(0)))
    assert data["overview"]["movies"] == 0
    assert data["movies"]["id"] == []
    assert data["provenance"]["fetched_until"] is None


def test_the_policy_lets_three_known_scripts_run_and_nothing_be_fetched(page: str) -> None:
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    [script] = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)

    def digest_of(source: bytes) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(source).digest()).decode()}'"

    def unpacked(name: str) -> bytes:
        [packed] = re.findall(f'id="{name}">([^<]*)</script>', page)
        return gzip.decompress(base64.b64decode(packed))

    known = [script.encode(), unpacked("packed-plotly"), unpacked("packed-tables")]
    assert policy == (
        f"default-src 'none'; script-src {' '.join(map(digest_of, known))}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def test_it_names_no_address_to_load_from(page: str) -> None:
    assert re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', page) == []
    assert not re.search(r"@import|url\((?!data:)", page)
    assert "https://" not in page.partition('id="packed-tables">')[0]


def test_without_javascript_a_sentence_says_what_is_needed(page: str) -> None:
    [words] = re.findall("<noscript>(.*?)</noscript>", page, re.DOTALL)
    assert "needs JavaScript" in words


def test_the_same_tables_give_the_same_bytes() -> None:
    tables = tables_from_silver([movie(number, genres="Drama|War") for number in range(20)])
    shuffled = {name: pa.concat_tables([table.slice(1), table.slice(0, 1)]) for name, table in tables.items()}
    first = dashboard_page(tables, PROVENANCE)
    assert dashboard_page(tables, PROVENANCE) == first
    assert data_of(dashboard_page(shuffled, PROVENANCE)) == data_of(first), (
        "whatever order rows are stored in"
    )


@pytest.mark.slow
def test_a_million_movies_make_a_page_under_five_megabytes() -> None:
    """Gold as a million movies leave it: a full sample, and a row for each of very many directors."""
    sampled = tables_from_silver(
        [
            movie(
                number, title=f"A title of the usual length, {number}", genres="Drama|Science Fiction",
                director=f"Director {number % 3_000}", belongs_to_collection=f"Collection {number % 900}",
                original_language="en", runtime=101, popularity=number / 7, vote_average=number % 100 / 10,
                budget_musd=number / 3, revenue_musd=number / 1.7,
            )
            for number in range(1, 5_201)
        ]
    )  # fmt: skip
    many = pa.Table.from_pylist(
        [{"rank": rank, "director": f"Director {rank}", "movies": 3} for rank in range(1, 200_001)],
        schema=arrow_schema(DIRECTORS),
    )
    overview = pa.Table.from_pylist([{"movies": 1_000_000}], schema=arrow_schema(OVERVIEW))
    page = dashboard_page(sampled | {DIRECTORS.name: many, OVERVIEW.name: overview}, Provenance(1_000_000))
    directors = data_of(page)["listings"]["directors"]
    assert (directors["rows"], directors["columns"]["rank"]) == (200_000, list(range(1, 501)))
    assert len(data_of(page)["movies"]["id"]) == 5_000
    assert len(page.encode()) < 5 * MEGABYTE


def test_it_is_written_beside_the_report(tmp_path: Any) -> None:
    tables = tables_from_silver([movie(1)])
    written = write_dashboard(tmp_path / "new", tables, PROVENANCE)
    assert written == tmp_path / "new" / "dashboard.html"
    assert written.read_text(encoding="utf-8") == dashboard_page(tables, PROVENANCE)


def test_a_module_becomes_a_script_that_names_its_default_export() -> None:
    module = "var a=1,vh=a;export{a as jQuery,vh as default};\n/* licence */"
    assert as_script(module) == (
        '(()=>{"use strict";var a=1,vh=a;globalThis.DataTable=vh;\n/* licence */\n})();'
    )
    with pytest.raises(MissingLibraryError, match="exports nothing by default"):
        as_script("var a=1;export{a as jQuery};")


def test_a_library_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("movies.report.dashboard.libraries.find_spec", lambda package: None)
    plotly.cache_clear()
    try:
        with pytest.raises(MissingLibraryError, match=r"package_data/plotly.min.js of the package plotly"):
            plotly()
    finally:
        plotly.cache_clear()


def test_neither_plotly_nor_pandas_is_imported_for_it() -> None:
    code = (
        "import sys; from movies.report.dashboard.libraries import plotly, data_tables\n"
        "plotly(), data_tables(); import movies.report.dashboard\n"
        "print({'plotly', 'itables', 'pandas', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
    assert data_tables().digest.startswith("sha256-")
