"""`docs/troubleshooting.md` has an entry for each sentence in which the product tells of an error."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.docs.sentences import passed_on, sentences_of, told_sentences

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "troubleshooting.md"


def entries() -> dict[str, str]:
    """The page's entries: what each heading says, without Markdown's escapes, and the text below it."""
    _, *parts = re.split(r"^### ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = {}
    for part in parts:
        heading, _, text = part.partition("\n")
        found[heading.replace("\\", "")] = re.split(r"^## ", text, flags=re.MULTILINE)[0]
    return found


def test_every_error_sentence_has_its_entry() -> None:
    there = entries()
    to_add = [
        f"### {sentence}\n\n(what it means and what to do; told in {place})\n"
        for sentence, place in told_sentences(ROOT).items()
        if sentence not in there
    ]
    if to_add:
        pytest.fail("add to docs/troubleshooting.md:\n\n" + "\n".join(to_add), pytrace=False)


def test_every_entry_is_a_sentence_of_the_product_and_says_what_to_do() -> None:
    told = told_sentences(ROOT)
    assert [heading for heading in entries() if heading not in told] == []
    assert [heading for heading, text in entries().items() if len(text.split()) < 5] == []


def test_every_sentence_can_be_read_where_it_is_told() -> None:
    # Each was looked at: the words are those of other errors, which are found where they are raised.
    assert passed_on(ROOT) == {
        "flows/checked.py: '; '.join(problems) or str(error)",
        "flows/failure.py: f'{sentence(error)}{_keep_trace(error)}'",
        "flows/delegation.py: sentence",
        "cli/forecast.py: report.shortage",
        "movies/forecast/errors.py: sentence",
        "flows/failure.py: sentence(error)",
        "flows/failure.py: str(interrupt) or 'Interrupted'",
        "flows/interrupt.py: came[0]",
        "flows/interrupt.py: self._number",
        "flows/parameters.py: f'{name.upper()}: {error}'",
        "flows/pipeline.py: report",
        "cli/run.py: sentence(error) if is_own(error) else "
        "f'{sentence(error)} (the stack trace is in {log})'",
        "cli/setup.py: redact(str(error), secrets)",
        "cli/temporary_server.py: self._cause()",
        "flows/run_report.py: '. '.join((sentence for sentence in (report.ingestion.outage, "
        "_tell_lost(report.ingestion), _tell_ratings(report.ingestion)) if sentence))",
        "flows/run_report.py: RunReport(ingestion=ingestion)",
        "movies/forecast/split.py: describe_shortage(0, 0, None)",
        "movies/forecast/split.py: describe_shortage(len(years), len(to_learn), first)",
        "settings.py: '; '.join((_sentence(dict(problem)) for problem in error.errors()))",
        "spark/engines/container.py: self.cause_of_death or 'The Spark container ended'",
        "spark/engines/session.py: cause",
        "spark/engines/session.py: server.cause_of_death or 'Spark in the container does not answer.'",
        "movies/tmdb/errors.py: detail",
        "movies/tmdb/sources/__init__.py: "
        "f'The filter {where} of the source {name}: {text}' if where else text",
    }


@pytest.mark.parametrize(
    ("source", "sentences"),
    [
        pytest.param('raise LakeError("No lake")', ["No lake"], id="constant"),
        pytest.param('raise LakeError(f"No {a}, {b} and {c}{d}")', ["No …, … and …"], id="placeholders"),
        pytest.param('raise TransientError("500 here")', [], id="tried-again"),
        pytest.param("terminal.fail(str(error))", ["…"], id="passed-on"),
        pytest.param('terminal.fail(f"It failed: {error}")', ["It failed: …"], id="failed"),
        pytest.param('error.add_note(f"Left: {n}")', ["Left: …"], id="note"),
        pytest.param(
            'def f():\n    why = "No one" if a else f"Not {a}"\n    raise LakeError(why)',
            ["No one", "Not …"],
            id="named-before",
        ),
        pytest.param(
            'def why(a):\n    return f"Not {a}"\nterminal.fail(why(1))',
            ["Not …"],
            id="returned-by-a-function",
        ),
        pytest.param(
            'def explain(a):\n    return LakeError(f"Not {a}")', ["Not …"], id="made-for-who-raises-it"
        ),
        pytest.param(
            'class OddError(Exception):\n    def __init__(self):\n        super().__init__("It is odd")',
            ["It is odd"],
            id="worded-by-its-class",
        ),
    ],
)
def test_sentences_are_found_however_they_are_made(source: str, sentences: list[str]) -> None:
    assert [sentence for sentence, _ in sentences_of(ast.parse(source))] == sentences
