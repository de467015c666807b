"""The text report."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from rich.cells import cell_len

from movies.report import formats
from movies.report.gold import Gold
from movies.report.provenance import ATTRIBUTION, Provenance
from movies.report.text import text_report
from tests.movies.report.gold_tables import gold_from_silver, movie

REPORT_OF_18 = Path(__file__).parent / "report_of_18.txt"
HEADINGS = [
    "1. GENERAL STATISTICS",
    "2. TOP PERFORMING MOVIES",
    "3. CRITICAL & AUDIENCE RATINGS",
    "4. ADVANCED SEARCHES",
    "5. FRANCHISE VS STANDALONE",
    "6. MOST SUCCESSFUL FRANCHISES",
    "7. MOST SUCCESSFUL DIRECTORS",
]


def headings(text: str) -> list[str]:
    lines = text.splitlines()
    return [line for line, below in pairwise(lines) if set(below) == {"-"}]


def part(text: str, heading: str) -> list[str]:
    """The lines below a heading, up to the next blank one."""
    below = text.split(f"\n{heading}\n", 1)[1]
    return below.split("\n\n", 1)[0].splitlines()


def test_report_of_the_default_movies(gold_18: Gold, provenance: Provenance) -> None:
    assert text_report(gold_18, provenance) == REPORT_OF_18.read_text(encoding="utf-8")


def test_search_hits_are_listed(gold_1601: Gold, provenance: Provenance) -> None:
    text = text_report(gold_1601, provenance)
    assert part(text, "4.2 Movies by Quentin Tarantino with Uma Thurman, shortest first") == [
        "  #  Movie                     Runtime   Rating  Director",
        "  -  ------------------------  -------  -------  -----------------",
        "  1  Kill Bill: Vol. 1 (2003)  111 min  7.70/10  Quentin Tarantino",
    ]


def test_only_ten_directors_are_listed(gold_1601: Gold, provenance: Provenance) -> None:
    lines = part(text_report(gold_1601, provenance), "By total revenue, first 10 of 416 directors")
    assert lines[2] == "   1  James Cameron           4      $3,870.2M      7.35/10"
    assert [line.split()[0] for line in lines[2:]] == [str(rank) for rank in range(1, 11)]


def test_co_directors_are_both_credited(provenance: Provenance) -> None:
    text = text_report(gold_from_silver([movie(1, director="Ann Field|Bo Li")]), provenance)
    assert part(text, "By total revenue, 2 directors")[2:] == [
        "  1  Ann Field       1         $20.0M      6.00/10",
        "  2  Bo Li           1         $20.0M      6.00/10",
    ]


def test_no_movies_are_reported_as_such(no_gold: Gold) -> None:
    text = text_report(no_gold, Provenance(0))
    assert headings(text) == HEADINGS
    assert text.splitlines()[2:5] == [
        "Data: TMDB · 0 movies",
        "Money is in millions of US dollars; ROI is revenue / budget.",
        "There are no movies yet, so there is nothing to rank or to average.",
    ]
    assert part(text, "2.5 Highest ROI (budget of $10M or more)") == [
        "  No movie has a known ROI and a budget of $10M or more."
    ]
    assert part(text, "3.2 Highest rated (10 votes or more)") == ["  No movie has 10 votes or more."]
    assert part(text, "4.1 Science fiction action movies with Bruce Willis, best rating first") == [
        "  No movie matches this search."
    ]
    assert "  No collection has two movies or more.\n" in text
    assert "  No movie has a known director.\n" in text
    assert text.endswith(f"\nData: TMDB · 0 movies\n{ATTRIBUTION}\n")


def test_two_movies_are_called_few() -> None:
    text = text_report(gold_from_silver([movie(1), movie(2)]), Provenance(2))
    assert text.splitlines()[4] == "Rankings and averages say little with 2 movies."
    assert headings(text) == HEADINGS


def test_unknown_figures_are_dashes(provenance: Provenance) -> None:
    unknown = dict.fromkeys(("budget_musd", "vote_average", "release_year", "genres", "director"))
    gold = gold_from_silver([movie(1, revenue_musd=5.0, vote_count=0, **unknown)])
    text = text_report(gold, provenance).replace(formats.UNKNOWN, "?")
    assert part(text, "2.1 Highest revenue")[2:] == ["  1  Movie 1    $5.0M       ?       ?    ?"]
    assert part(text, "2.2 Highest budget") == ["  No movie has a known budget."]
    assert "  Mean rating        ?\n" in text


def test_wide_and_long_titles_keep_columns_in_line(provenance: Provenance) -> None:
    titles = ["七人の侍", "Title " * 12, "Plain", "e\u0301te\u0301"]
    gold = gold_from_silver([movie(number, title=title) for number, title in enumerate(titles)])
    lines = part(text_report(gold, provenance), "2.1 Highest revenue")
    assert lines[3] == (
        "  2  Title Title Title Title Title Title Title Title… (2000)   $20.0M  $10.0M  $10.0M  2.00x"
    )
    assert {cell_len(line) for line in lines} == {cell_len(lines[0])}
