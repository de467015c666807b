"""Commands in the pages' blocks of code are commands that there are, with options that there are."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from cli.app import app
from movies.sandbox.__main__ import main as sandbox
from tests.docs.pages import ROOT, commands, name_of, pages
from tests.places import clean_environment
from tests.prefect_servers import prefect_server

MOVIES = typer.main.get_command(app)
SANDBOX_APP = typer.Typer(add_completion=False)
SANDBOX_APP.command()(sandbox)
SANDBOX = typer.main.get_command(SANDBOX_APP)
# What a reader is to put in.
PUT_IN = {"SCHEDULE_ID": "00000000-0000-0000-0000-000000000000"}
# Programs that are taken at their word.
OTHERS = {
    *("pip", "cp", "export", "docker", "git", "uv", "jq", "mvn", "env", "cd", "wait", "du"),
    *("pytest", "ruff", "mypy", "sphinx-build", "jupyter", ".ci/run", ".ci/slow"),
}


class UnknownCommand(Exception):
    """A command of the pages is none."""


def check(words: list[str]) -> None:
    """Parse a command as its program would.

    Raises:
        UnknownCommand: it would be refused; the text says why.
    """
    program, *arguments = words
    match words:
        case ["uv", "run", "--group", _, *rest] | ["uv", "run", *rest] if rest:
            check(rest)
        case ["docker", "compose", *rest] if "movies" in rest:  # `… run --rm movies run`
            parse_click(MOVIES, rest[rest.index("movies") + 1 :])
        case ["movies", *rest] | ["python", "-m", "cli", *rest]:
            parse_click(MOVIES, rest)
        case ["python", "flows/main.py", *rest]:
            parse_click(MOVIES, ["run", *rest])
        case ["python", "-m", "movies.sandbox", *rest]:
            parse_click(SANDBOX, rest)
        case ["python", "-m", "cogapp", *_]:
            pass
        case ["python", script, *_] if (ROOT / script).is_file():
            pass
        case ["prefect", *rest]:
            parse_prefect(rest)
        case _ if program not in OTHERS:
            raise UnknownCommand(f"{program} is no program that is known here: {arguments}")


def parse_click(command: Any, arguments: list[str]) -> None:
    """Parse down to the last subcommand, calling none of them."""
    arguments = [word for word in arguments if word != "--help"]
    context = None
    while True:
        try:
            context = command.make_context(command.name, arguments, parent=context)
            if not getattr(command, "commands", None):
                return
            _, command, arguments = command.resolve_command(
                context, [*context._protected_args, *context.args]
            )
        except SystemExit:
            return  # a group without arguments shows its help
        except Exception as error:
            if not hasattr(error, "format_message"):
                raise
            raise UnknownCommand(error.format_message()) from error


def parse_prefect(arguments: list[str]) -> None:
    from cyclopts.exceptions import CycloptsError

    prefect = importlib.import_module("prefect.cli._app")._app
    try:
        prefect.parse_args(
            [PUT_IN.get(word, word) for word in arguments], print_error=False, exit_on_error=False
        )
    except CycloptsError as error:
        raise UnknownCommand(str(error)) from error


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_commands_of_the_page_can_be_parsed(page: Path) -> None:
    refused = []
    for words in commands(page):
        try:
            check(words)
        except UnknownCommand as error:
            refused.append(f"{' '.join(words)}: {error}")
    assert refused == []


@pytest.mark.parametrize(
    "command",
    [
        "movies run --moovie-ids 3",
        "uv run movies run --stage fetch",
        "movies stats",
        "movies backup",
        "python flows/main.py --no-such",
        "python -m movies.sandbox --speed 3",
        "uv run prefect deployment run x --wach",
        "prefect deploi --all",
        "python benchmarks/no_such.py",
        "moovies run",
    ],
)
def test_wrong_command_is_refused(command: str) -> None:
    with pytest.raises(UnknownCommand):
        check(command.split())


# What a reader does first, in this order; the rest needs a key, a server, a bucket or Java.
FIRST = ("quickstart.md", "quarantine.md")
NEEDS = ("603", "show", "replay")


def first_commands() -> list[list[str]]:
    found = [words[2:] for page in FIRST for words in commands(ROOT / "docs" / page) if "movies" in words]
    return [
        words
        for words in found
        if words[0] == "movies" and not any(need in " ".join(words) for need in NEEDS)
    ]


@pytest.mark.slow
def test_first_commands_run(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("prefect")
    ended = {}
    # Without a server each command would start one, which is another test's concern.
    with prefect_server(tmp_path_factory, home) as api:
        own = {"PYTHONPATH": str(ROOT), "PREFECT_HOME": str(home), "PREFECT_API_URL": api}
        for words in first_commands():
            run = subprocess.run(
                [sys.executable, "-m", "cli", *words[1:]],
                cwd=tmp_path,
                env=clean_environment() | own,
                capture_output=True,
                text=True,
            )
            ended[" ".join(words)] = run.returncode, run.stderr[-300:] if run.returncode else ""
    assert len(ended) >= 5
    assert {command: told for command, told in ended.items() if told != (0, "")} == {}
    assert (tmp_path / "output" / "kpi_analysis.txt").is_file()
