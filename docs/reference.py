"""The generated parts of the reference pages, as Markdown.

`uv run cog -r -n utf-8 -I docs docs/*.md` renews them from the declarations in the code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import EnumType
from typing import Any, get_args

import typer
from pydantic.fields import FieldInfo

from cli.app import app
from cli.setup import NotificationSettings
from movies.lake.all_tables import TABLES
from movies.lake.table import Table
from movies.sandbox.__main__ import main as sandbox
from movies.settings import DEFAULT_MOVIE_IDS, Settings
from spark.checks.all_checks import CHECKS
from spark.kpis.all_kpis import KPIS
from spark.kpis.rankings import RANKINGS
from spark.kpis.searches import SEARCHES
from spark.kpis.suspicious_money import SUSPICIONS

DEPLOYING = ("data_volume", "data_user", "job_network")
BOUNDS = {"ge": "{:,g} or more", "gt": "more than {:,g}", "le": "at most {:,g}"}


def gold_tables() -> str:
    """Return the tables that KPIs fill, each with what it holds and its columns."""
    return "\n".join(_section(kpi.table) for kpi in KPIS)


def other_tables() -> str:
    """Return all other tables likewise."""
    filled = [kpi.table for kpi in KPIS]
    return "\n".join(_section(table) for table in TABLES if table not in filled)


def definitions() -> str:
    """Return what rankings, searches and reasons to suspect money are."""
    found = {
        "ranking": [(one.name, one.definition) for one in RANKINGS],
        "search": [(one.name, one.definition) for one in SEARCHES],
        "reason to suspect money": [(one.reason, one.definition) for one in SUSPICIONS],
    }
    return "\n".join(
        _table((kind, "definition"), ((f"`{name}`", text) for name, text in rows))
        for kind, rows in found.items()
    )


def checks() -> str:
    """Return the checks of silver."""
    rows = ((f"`{check.name}`", check.severity, check.rule.allowed, check.definition) for check in CHECKS)
    return _table(("check", "severity", "allowed", "what must be true"), rows)


def run_settings() -> str:
    """Return the settings of every run."""
    return _settings({name: field for name, field in Settings.model_fields.items() if name not in DEPLOYING})


def deploy_settings() -> str:
    """Return the settings of deployments."""
    fields = {name: Settings.model_fields[name] for name in DEPLOYING}
    return _settings(fields | NotificationSettings.model_fields)


def commands() -> str:
    """Return a section for each command."""
    alone = typer.Typer(add_completion=False)
    alone.command()(sandbox)
    found = [*leaves(typer.main.get_command(app), "movies")]
    found.append(("python -m movies.sandbox", typer.main.get_command(alone)))
    return "\n".join(_command(name, command) for name, command in found)


def leaves(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield all commands that do something, by their whole names."""
    if not (subcommands := getattr(command, "commands", None)):
        yield name, command
        return
    for part, subcommand in subcommands.items():
        yield from leaves(subcommand, f"{name} {part}")


def _section(table: Table) -> str:
    columns = {**table.columns, **table.optional}
    rows = ((f"`{name}`", column.type, column.meaning) for name, column in columns.items())
    partition = "".join(f" Partitioned by `{name}`." for name in table.partition_by)
    return f"### {table.name}\n\n{table.meaning}{partition}\n\n{_table(('column', 'type', 'meaning'), rows)}"


def _settings(fields: dict[str, FieldInfo]) -> str:
    rows = (
        (
            f"`{name.upper()}`",
            _default(name, field),
            _allowed(field),
            " ".join((field.description or "").split()),
        )
        for name, field in fields.items()
    )
    return _table(("name", "default", "allowed", "meaning"), rows)


def _default(name: str, field: FieldInfo) -> str:
    if field.default == DEFAULT_MOVIE_IDS:
        return f"{len(DEFAULT_MOVIE_IDS)} movies"
    # That of the engine is by the machine.
    default = "sail" if name == "spark_master" else field.default
    return "none" if default is None else f"`{default}`"


def _allowed(field: FieldInfo) -> str:
    bounds = {name: getattr(rule, name) for rule in field.metadata for name in BOUNDS if hasattr(rule, name)}
    if bounds.keys() == {"ge", "le"}:
        return f"{bounds['ge']:,} to {bounds['le']:,}"
    words = ", ".join(BOUNDS[name].format(bound) for name, bound in bounds.items())
    return words or ", ".join(
        f"`{choice}`" for choice in getattr(field.annotation, "__args__", ()) if isinstance(choice, str)
    )


def _command(name: str, command: Any) -> str:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option" and "--help" not in one.opts]
    usage = " ".join([name, *map(_metavar, arguments)])
    paragraphs = "\n\n".join(" ".join(part.split()) for part in (command.help or "").split("\n\n"))
    rows = [(f"`{_metavar(argument)}`", argument.help or "") for argument in arguments]
    rows += [(_spelling(option), _help(option)) for option in options]
    table = "\n" + _table(("option", "meaning"), rows) if rows else ""
    return f"## {name}\n\n`{usage}`\n\n{paragraphs}\n{table}"


def _metavar(parameter: Any) -> str:
    name = str(parameter.metavar or parameter.name.upper())
    return f"[{name} …]" if parameter.nargs == -1 else name


def _spelling(option: Any) -> str:
    spelling = max(option.opts, key=len)
    return f"`{spelling}`" if option.is_flag else f"`{spelling} {_metavar(option)}`"


def _help(option: Any) -> str:
    kind = option.type_descriptor.annotation
    [kind, *_] = get_args(kind) or [kind]
    choices = ", ".join(f"`{one.value}`" for one in kind) if isinstance(kind, EnumType) else ""
    default = getattr(option.default, "value", option.default)
    parts = [
        option.help or "",
        f"One of {choices}." if choices else "",
        "Can be repeated." if option.multiple and "repeat" not in (option.help or "") else "",
        "" if option.is_flag or default in (None, "", (), []) else f"Default: `{default}`.",
    ]
    return " ".join(filter(None, parts))


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)
