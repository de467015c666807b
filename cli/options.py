"""Options of commands: shared ones, and those that a request declares."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from enum import Enum, StrEnum
from functools import wraps
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import typer
from annotated_types import BaseMetadata
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from flows import request
from flows.parameters import Option, ParameterError, Request
from movies.settings import parse_path

Q = TypeVar("Q", bound=Request)


def parse_file(text: str) -> Path:
    """Return the path of a file, with `~` expanded.

    Raises:
        typer.BadParameter: it is blank, a URL, or below the home folder of an unknown user.
    """
    try:
        parse_path(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    return Path(text).expanduser()


LARGEST = request.LARGEST_VERSION
# What help shows for the value of an option that says nothing else.
METAVARS = {str: "TEXT", int: "N", float: "N"}
_LAKE_HELP, _OUTPUT_HELP = (get_args(kind)[-1].description for kind in (request.LakeRoot, request.OutputDir))
# Of type `str`: an empty path would be the working folder.
LakeRoot = Annotated[str | None, typer.Option(metavar="DIR", help=_LAKE_HELP)]
OutputDir = Annotated[str | None, typer.Option(metavar="DIR", help=_OUTPUT_HELP)]


def takes(model: type[Q]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command an option for each field of a request, and call it with the request.

    The command's other parameters are options of its own; they come last.
    """
    fields = {name: field for name, field in model.model_fields.items() if _option(field).name is not None}

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def run(**values: Any) -> None:
            given = {name: values.pop(name) for name in fields}
            read = {name: _read(fields[name], value) for name, value in given.items() if value is not None}
            command(_validate(model, read), **values)

        _, *own = inspect.signature(command, eval_str=True).parameters.values()
        derived = [_parameter(name, field) for name, field in fields.items()]
        run.__signature__ = inspect.Signature([*derived, *own])  # type: ignore[attr-defined]
        run.__annotations__ = {}
        return run

    return decorate


def _validate(model: type[Q], given: dict[str, Any]) -> Q:
    """Read a request, and name the option of a value that is not valid.

    Raises:
        typer.BadParameter: it is of another type, or out of bounds.
        ParameterError: options exclude each other.
    """
    try:
        return model.read(given)
    except ParameterError as error:
        if not isinstance(cause := error.__cause__, ValidationError):
            raise
        problem = cause.errors()[0]
        name = str(problem["loc"][0])
        raise typer.BadParameter(
            problem["msg"], param_hint=f"'{_flag(name, model.model_fields[name])}'"
        ) from error


def _flag(name: str, field: FieldInfo) -> str:
    return _option(field).name or f"--{name.replace('_', '-')}"


def _option(field: FieldInfo) -> Option:
    return next((marker for marker in field.metadata if isinstance(marker, Option)), Option())


def _parameter(name: str, field: FieldInfo) -> inspect.Parameter:
    """Return the parameter from which typer builds the option of a field."""
    option, kind = _option(field), _value_type(field.annotation)
    more: dict[str, Any] = {"help": field.description, "metavar": option.metavar or METAVARS.get(kind)}
    taken: Any = str | None
    if choices := [*_choices(field, kind)]:
        more["metavar"] = f"[{'|'.join(choices)}]"
        make_enum: Any = StrEnum
        taken = make_enum(name, {choice: choice for choice in choices})
        if get_origin(kind) is list:
            taken, more["help"] = list[taken] | None, f"{field.description} Can be repeated."
    elif kind is bool:
        taken = bool
    elif kind in (int, float):
        taken, more = kind | None, more | _bounds(field)
    elif kind is Path and option.metavar == "FILE":
        taken, more["parser"] = Path | None, parse_file
    elif option.parse is None and get_origin(kind) in (list, dict):
        taken = list[str] | None
        more["help"] = f"{field.description} Can be repeated."
    annotation = Annotated[taken, typer.Option(_flag(name, field), **more)]
    return inspect.Parameter(
        name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=field.default, annotation=annotation
    )


def _read(field: FieldInfo, value: Any) -> Any:
    """Convert the value that typer returns for an option: ids in one text, filters as `NAME=VALUE`.

    Raises:
        typer.BadParameter: it is not of this form.
    """
    if parse := _option(field).parse:
        try:
            return parse(value)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
    if get_origin(_value_type(field.annotation)) is dict:
        for pair in value:
            if "=" not in pair:
                raise typer.BadParameter(f"{pair!r} is not a valid filter; expected NAME=VALUE.")
        return dict(pair.partition("=")[::2] for pair in value)
    return value


def _value_type(annotation: Any) -> Any:
    """Return the type of a value, without `None` and without its bounds."""
    while get_origin(annotation) in (Union, UnionType, Annotated):
        annotation = next(kind for kind in get_args(annotation) if kind is not NoneType)
    return annotation


def _choices(field: FieldInfo, kind: Any) -> Iterator[str]:
    """List the allowed values of a field, if they are enumerated."""
    if isinstance(extra := field.json_schema_extra, dict):
        yield from map(str, extra.get("enum", ()))  # type: ignore[arg-type]
    [*inner] = get_args(kind) if get_origin(kind) is list else [kind]
    for one in inner:
        if get_origin(one) is Literal:
            yield from map(str, get_args(one))
        elif isinstance(one, type) and issubclass(one, Enum):
            yield from (str(member.value) for member in one)


def _bounds(field: FieldInfo) -> dict[str, Any]:
    """Return the minimum and the maximum, which typer checks and shows."""
    found = [*field.metadata]
    for kind in get_args(field.annotation):
        found += [bound for one in get_args(kind)[1:] for bound in getattr(one, "metadata", ())]
    bounds = [bound for bound in found if isinstance(bound, BaseMetadata)]
    least = next((bound.ge for bound in bounds if hasattr(bound, "ge")), None)
    greatest = next((bound.le for bound in bounds if hasattr(bound, "le")), None)
    return {"min": least, "max": greatest}


class Format(StrEnum):
    """How rows are written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    NDJSON = "ndjson"
    MARKDOWN = "markdown"
    PARQUET = "parquet"


SUFFIXES = {
    ".txt": Format.TABLE,
    ".csv": Format.CSV,
    ".json": Format.JSON,
    ".ndjson": Format.NDJSON,
    ".jsonl": Format.NDJSON,
    ".md": Format.MARKDOWN,
    ".parquet": Format.PARQUET,
}
