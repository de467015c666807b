"""The reference pages have every setting, table, column, command and option, as the code declares them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest
import typer
from pydantic.fields import FieldInfo

from cli.app import app
from cli.setup import NotificationSettings
from movies.lake.all_tables import TABLES
from movies.lake.table import Table
from movies.sandbox.__main__ import main as sandbox
from movies.settings import DEFAULT_MOVIE_IDS, Settings
from tests.docs.pages import ROOT

DOCS = ROOT / "docs"
TABLE_PAGES = ("tables.md", "kpis.md")
BOUNDS = {"ge": "{:,g} or more", "gt": "more than {:,g}", "le": "at most {:,g}"}


def read(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def rows(text: str) -> Iterator[list[str]]:
    """The cells of all rows of tables."""
    for line in re.findall(r"^\| (.+) \|$", text, re.MULTILINE):
        yield re.split(r" \| ", line)


def shown_default(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    if default is None:
        return "none"
    return f"{len(DEFAULT_MOVIE_IDS)} movies" if default == DEFAULT_MOVIE_IDS else f"`{default}`"


def shown_bounds(field: FieldInfo) -> str | None:
    """The bounds in words; None where there are none, or no numbers."""
    known = {name: getattr(rule, name) for rule in field.metadata for name in BOUNDS if hasattr(rule, name)}
    if known.keys() == {"ge", "le"}:
        return f"{known['ge']:,} to {known['le']:,}"
    return ", ".join(BOUNDS[name].format(bound) for name, bound in known.items()) or None


SETTINGS = {**Settings.model_fields, **NotificationSettings.model_fields}
del SETTINGS["spark_master"]  # by the machine: tested by itself


@pytest.mark.parametrize("name", SETTINGS)
def test_setting_is_there_with_its_default_and_bounds(name: str) -> None:
    field = SETTINGS[name]
    found = [row[1:3] for row in rows(read("settings.md")) if row[0] == f"`{name.upper()}`"]
    wanted = [shown_default(field), shown_bounds(field) or (found[0][1] if found else "what may be set")]
    if found != [wanted]:
        row = f"| `{name.upper()}` | {wanted[0]} | {wanted[1]} | (meaning) |"
        pytest.fail(f"in docs/settings.md, one row must be:\n{row}", pytrace=False)


def test_engine_setting_is_there_with_its_default() -> None:
    assert [row[1] for row in rows(read("settings.md")) if row[0] == "`SPARK_MASTER`"] == ["`sail`"]


def test_settings_page_has_no_other_settings_of_the_pipeline() -> None:
    named = [row[0].strip("`") for row in rows(read("settings.md")) if len(row) == 4 and row[0] != "name"]
    declared = {name.upper() for name in Settings.model_fields | NotificationSettings.model_fields}
    assert [name for name in named if name not in declared and name != "---"] == []


@pytest.mark.parametrize("file", ["compose.yaml", "cluster.compose.yaml"])
def test_variables_of_compose_are_explained(file: str) -> None:
    used = re.findall(r"\$\{(\w+)", (ROOT / "docker" / file).read_text(encoding="utf-8"))
    explained = read("settings.md") + read("cluster.md")
    assert sorted({name for name in used if f"`{name}`" not in explained}) == []


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_table_is_there_with_all_its_columns(table: Table) -> None:
    wanted = ", ".join(table.columns)
    cells = [row[-1] for page in TABLE_PAGES for row in rows(read(page)) if row[0] == f"`{table.name}`"]
    if cells != [f"`{wanted}`"]:
        row = f"| `{table.name}` | (what a row is) | `{wanted}` |"
        pytest.fail(f"in docs/tables.md or docs/kpis.md, one row must be:\n{row}", pytrace=False)


def test_each_column_is_explained() -> None:
    heads = [row[0] for page in (*TABLE_PAGES, "data-quality.md") for row in rows(read(page))]
    explained = {name for head in heads for name in re.findall(r"`(\w+)`", head)}
    lacking = dict.fromkeys(column for table in TABLES for column in table.columns if column not in explained)
    if lacking:
        to_add = "\n".join(f"| `{column}` | (meaning) |" for column in lacking)
        pytest.fail(f"add to the columns of docs/tables.md or docs/kpis.md:\n{to_add}", pytrace=False)


def leaves(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """All commands that do something, by their whole names."""
    if not (subcommands := getattr(command, "commands", None)):
        yield name, command
        return
    for part, subcommand in subcommands.items():
        yield from leaves(subcommand, f"{name} {part}")


def sandbox_command() -> click.Command:
    alone = typer.Typer(add_completion=False)
    alone.command()(sandbox)
    return typer.main.get_command(alone)  # type: ignore[return-value]


ROOT_COMMAND = typer.main.get_command(app)
COMMANDS = dict(leaves(ROOT_COMMAND, "movies"))  # type: ignore[arg-type]
COMMANDS["python -m movies.sandbox"] = sandbox_command()


@pytest.mark.parametrize("name", COMMANDS)
def test_command_is_there_with_all_its_options_and_no_others(name: str) -> None:
    section = re.split(r"^## ", read("commands.md").partition(f"\n## {name}\n")[2], flags=re.MULTILINE)[0]
    options = [parameter for parameter in COMMANDS[name].params if parameter.param_type_name == "option"]
    declared = {spelling for option in options for spelling in option.opts if spelling.startswith("--")}
    shown = {
        word for row in rows(section) for word in re.findall(r"(?<!\w)--[\w-]+", row[0]) if row[0] != "---"
    }
    lacking, strange = sorted(declared - shown - {"--help"}), sorted(shown - declared)
    if lacking or strange or not section:
        to_add = "\n".join(f"| `{option}` | (meaning) |" for option in lacking)
        pytest.fail(
            f'in docs/commands.md, "## {name}" must have these rows:\n{to_add}\nand none of {strange}',
            pytrace=False,
        )


def test_commands_page_has_no_other_commands() -> None:
    named = re.findall(r"^## ((?:movies|python) .+)$", read("commands.md"), re.MULTILINE)
    assert sorted(named) == sorted(COMMANDS)


def test_options_of_all_commands_are_there() -> None:
    above = read("commands.md").partition("\n## ")[0]
    options = [option for parameter in ROOT_COMMAND.params for option in parameter.opts]
    assert [option for option in options if f"movies {option}" not in above and option != "--help"] == []
