"""The examples that help and documentation teach with run as they stand."""

from __future__ import annotations

import shlex
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.app import app
from cli.examples import EXAMPLES
from tests.docs.pages import ROOT, commands
from tests.docs.test_commands import check

LINES = [line for lines in EXAMPLES.values() for line in lines]
# Those that only look: they can be run on any lake.
LOOKING = [
    shlex.split(line) for line in LINES if line.startswith(("movies sql", "movies show", "movies status"))
]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
PAGE = [words[2:] for words in commands(ROOT / "docs" / "queries.md")]


@pytest.mark.parametrize("line", LINES)
def test_an_example_has_options_that_there_are(line: str) -> None:
    check(shlex.split(line))


@pytest.mark.parametrize("command", EXAMPLES)
def test_help_ends_with_the_examples(command: str) -> None:
    shown = " ".join(CliRunner().invoke(app, [command, "--help"]).stdout.split())

    assert shown.endswith(" ".join(" ".join(["Examples:", *EXAMPLES[command]]).split()))


@pytest.mark.parametrize("words", [*LOOKING, *PAGE], ids=" ".join)
def test_an_example_that_looks_answers(
    words: list[str], whole_lake: str, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)

    done = CliRunner().invoke(app, [*words[1:], "--lake-root", whole_lake])

    assert (done.exit_code, done.stderr) == (0, "")


def test_the_version_is_the_one_that_is_declared() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout == f"movies {VERSION}\n"
