"""Whatever shows figures names what they are made from."""

from __future__ import annotations

from movies.report.dashboard import dashboard_page
from movies.report.gold import Gold
from movies.report.markdown import markdown_report
from movies.report.provenance import Provenance, name_source
from movies.report.text import text_report
from tests.movies.report.drawn_texts import drawn_texts


def test_figures_of_the_sandbox_are_named_by_whatever_shows_them(gold_18: Gold) -> None:
    provenance = Provenance(18, source=name_source({"sandbox"}))
    tables = gold_18.tables
    shown = {
        "text": text_report(gold_18, provenance),
        "markdown": markdown_report(gold_18, provenance),
        "dashboard": dashboard_page(tables, provenance),
        "picture": " ".join(text.words for text in drawn_texts("top_directors", gold_18, provenance)),
        "metadata": provenance.notice,
    }

    assert [name for name, text in shown.items() if "Data: the bundled sandbox, not TMDB" not in text] == []
    assert [name for name, text in shown.items() if "Data: TMDB" in text] == []


def test_other_servers_than_the_sandbox_are_tmdb() -> None:
    assert name_source({"https://api.themoviedb.org/3", "https://mirror.test/3"}) == "TMDB"
    assert name_source(set()) == "TMDB"
