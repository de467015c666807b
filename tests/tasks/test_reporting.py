"""What people see of report, plots and dashboard in Prefect's UI."""

from __future__ import annotations

from typing import Any

import pytest

from tasks import reporting
from tests.movies.report.gold_tables import gold_from_silver, movie
from tests.movies.report.golden_plots import PROVENANCE


@pytest.fixture
def shown(monkeypatch) -> dict[str, tuple[Any, str]]:
    """Content and description of each artifact, by its key."""
    created: dict[str, tuple[Any, str]] = {}

    async def create(content: Any, key: str, description: str) -> None:
        created[key] = (content, description)

    monkeypatch.setattr(reporting, "acreate_table_artifact", create)
    monkeypatch.setattr(reporting, "acreate_markdown_artifact", create)
    return created


GOLD = gold_from_silver(
    [
        movie(1, title="Lost *One*", release_year=1999, budget_musd=60.0, revenue_musd=20.0, vote_count=1200),
        movie(2, title="Found", budget_musd=30.0, revenue_musd=100.0, vote_average=7.456, popularity=12.345),
        movie(3, title="Unknown", budget_musd=None, revenue_musd=None, vote_count=9),
    ]
)


async def test_a_ranking_is_a_table_of_what_it_is_about_with_the_figures_of_the_report(shown):
    await reporting.show_report(GOLD, PROVENANCE)

    lost, found = {"Movie": "Lost *One* (1999)"}, {"Movie": "Found (2000)"}
    figures = {"ROI": "0.33x", "Revenue": "$20.0M", "Budget": "$60.0M"}
    other_figures = {"ROI": "3.33x", "Revenue": "$100.0M", "Budget": "$30.0M"}
    assert shown["ranking-lowest-roi"] == (
        [{"#": "1"} | lost | figures, {"#": "2"} | found | other_figures],
        f"Lowest ROI (budget of $10M or more) · {PROVENANCE.caption}",
    )
    assert shown["ranking-highest-rated"] == (
        [
            {"#": "1"} | found | {"Rating": "7.46/10 (100 votes)", "Popularity": "12.35"},
            {"#": "2"} | lost | {"Rating": "6.00/10 (1,200 votes)", "Popularity": "5.00"},
        ],
        f"Highest rated (10 votes or more) · {PROVENANCE.caption}",
    )


async def test_what_a_ranking_shows_fits_a_page(shown):
    await reporting.show_report(GOLD, PROVENANCE)

    tables = {key.removeprefix("ranking-"): rows for key, (rows, _) in shown.items() if key != "kpi-report"}
    assert {name: [*rows[0]][2:] for name, rows in tables.items()} == {
        "highest-revenue": ["Revenue", "Budget", "Profit"],
        "highest-budget": ["Budget", "Revenue", "Profit"],
        "highest-profit": ["Profit", "Revenue", "Budget"],
        "lowest-profit": ["Profit", "Revenue", "Budget"],
        "highest-roi": ["ROI", "Revenue", "Budget"],
        "lowest-roi": ["ROI", "Revenue", "Budget"],
        "most-voted": ["Votes", "Rating", "Popularity"],
        "most-popular": ["Popularity", "Rating"],
        "highest-rated": ["Rating", "Popularity"],
        "lowest-rated": ["Rating", "Popularity"],
    }


async def test_a_plot_is_a_picture_with_its_finding(shown, tmp_path):
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"PNG")

    await reporting.show_plots({"rating_distribution": picture}, GOLD, PROVENANCE)

    words = "3 movies are rated 6.0 to 7.5. Ratings of 3 movies that anyone voted on."
    words += " Mean 6.49, median 6.00 (n = 3). Lowest 6.0, highest 7.5."
    assert shown == {
        "plot-rating-distribution": (
            f"![{words}](data:image/png;base64,UE5H)",
            "3 movies are rated 6.0 to 7.5. Data: TMDB.",
        )
    }


async def test_the_dashboard_is_a_place_to_open_and_to_copy(shown, tmp_path):
    page = tmp_path / "my output" / "dashboard.html"

    await reporting.show_dashboard(page, PROVENANCE)

    [(key, (content, description))] = shown.items()
    assert (key, description) == ("dashboard", "Dashboard of 18 movies. Data: TMDB.")
    assert f"[dashboard]({tmp_path.as_uri()}/my%20output/dashboard.html)" in content
    assert f"\n{page}\n" in content
    assert content.endswith(
        "18 movies · fetched until 2026-11-20 14:03 UTC · raw v2 · silver v3 · code c0de1234 · run a1b2c3d4"
    )
