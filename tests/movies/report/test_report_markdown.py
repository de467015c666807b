"""The report as Markdown."""

from __future__ import annotations

from markdown_it import MarkdownIt

from movies.report import formats
from movies.report.gold import Gold
from movies.report.markdown import escape, markdown_report
from movies.report.provenance import ATTRIBUTION, Provenance
from movies.report.text import text_report
from tests.movies.report.gold_tables import gold_from_silver, movie


def test_tables_of_the_default_movies(gold_18: Gold, provenance: Provenance) -> None:
    text = markdown_report(gold_18, provenance)
    assert text.startswith(f"# TMDB movie report\n\n{provenance.caption}\n\n")
    assert (
        "### 2.1 Highest revenue\n"
        "\n"
        "| # | Movie | Revenue | Budget | Profit | ROI |\n"
        "| ---: | :--- | ---: | ---: | ---: | ---: |\n"
        "| 1 | Avatar (2009) | $2,923.7M | $237.0M | $2,686.7M | 12.34x |\n"
        "| 2 | Avengers: Endgame (2019) | $2,799.4M | $356.0M | $2,443.4M | 7.86x |\n"
        "| 3 | Titanic (1997) | $2,264.2M | $200.0M | $2,064.2M | 11.32x |\n"
        "| 4 | Star Wars: The Force Awakens (2015) | $2,068.2M | $245.0M | $1,823.2M | 8.44x |\n"
        "| 5 | Avengers: Infinity War (2018) | $2,052.4M | $300.0M | $1,752.4M | 6.84x |\n"
    ) in text
    assert text.endswith(f"---\n\n{provenance.caption}\n\n{ATTRIBUTION}\n")


def test_a_table_too_wide_for_a_page_is_two_with_the_names_in_both(
    gold_18: Gold, provenance: Provenance
) -> None:
    assert (
        "| # | Collection | Movies | Total revenue | Mean revenue |\n"
        "| ---: | :--- | ---: | ---: | ---: |\n"
        "| 1 | The Avengers Collection | 4 | $7,776.1M | $1,944.0M |\n"
        "| 2 | Star Wars Collection | 2 | $3,400.9M | $1,700.5M |\n"
        "| 3 | Jurassic Park Collection | 2 | $2,982.0M | $1,491.0M |\n"
        "| 4 | Frozen Collection | 2 | $2,727.9M | $1,364.0M |\n"
        "\n"
        "| # | Collection | Total budget | Mean budget | Mean rating |\n"
        "| ---: | :--- | ---: | ---: | ---: |\n"
        "| 1 | The Avengers Collection | $1,111.0M | $277.8M | 7.93/10 |\n"
        "| 2 | Star Wars Collection | $545.0M | $272.5M | 7.01/10 |\n"
        "| 3 | Jurassic Park Collection | $320.0M | $160.0M | 6.62/10 |\n"
        "| 4 | Frozen Collection | $300.0M | $150.0M | 7.24/10 |\n"
    ) in markdown_report(gold_18, provenance)


def test_sections_are_those_of_the_text_report(gold_18: Gold, provenance: Provenance) -> None:
    markdown = markdown_report(gold_18, provenance)
    headings = [line.removeprefix("## ") for line in markdown.splitlines() if line.startswith("## ")]
    assert len(headings) == 7
    assert all(f"\n{heading.upper()}\n---" in text_report(gold_18, provenance) for heading in headings)


def test_titles_are_shown_as_they_are(provenance: Provenance) -> None:
    title = r"A|B M*A*S*H [REC]² <b>_x_</b> `c` \ ~~d~~ 七人の侍 $5"
    gold = gold_from_silver([movie(1, title=title)])
    tokens = (
        MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown_report(gold, provenance))
    )
    shown = ["".join(part.content for part in token.children or ()) for token in tokens]
    assert f"{title} (2000)" in shown


def test_long_titles_are_not_cut(provenance: Provenance) -> None:
    title = "Title " * 30
    assert title.strip() in markdown_report(gold_from_silver([movie(1, title=title)]), provenance)


def test_no_movies_have_no_tables_but_figures(no_gold: Gold) -> None:
    text = markdown_report(no_gold, Provenance(0))
    assert "### 2.1 Highest revenue\n\nNo movie has a known revenue.\n" in text
    assert f"| Mean revenue | {formats.UNKNOWN} |\n" in text


def test_escape_leaves_plain_words_alone() -> None:
    assert escape("Avengers: Infinity War (2018) $2.1B") == "Avengers: Infinity War (2018) $2.1B"
    assert escape("a|b") == r"a\|b"
