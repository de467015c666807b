"""Base classes of the requests, whose fields declare the parameters of flows and command line."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from movies.settings import (
    Settings,
    SettingsError,
    is_signed,
    load_settings,
    parse_folder,
    parse_lake,
    parse_path,
)

PLACES: Mapping[str, Callable[[str], object]] = {
    "lake_root": parse_lake,
    "output_dir": parse_folder,
    "movie_ids_file": parse_path,
}


class ParameterError(SettingsError):
    """A parameter is not valid; the text says which one, and what to do (exit status 2)."""


@dataclass(frozen=True)
class Option:
    """How the command line shows a field; a field with `name=None` has no option.

    The default name of the option is that of the field. `parse` reads its text, and may raise ValueError.
    """

    name: str | None = ""
    metavar: str | None = None
    parse: Callable[[str], Any] | None = None


@dataclass(frozen=True)
class Overrides:
    """Marks a field whose value, if not None, replaces the setting of this name."""

    setting: str


class Request(BaseModel):
    """The parameters of a flow; the fields of each subclass are the flow's parameters, in this order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def read(cls, given: Mapping[str, Any], flow: str = "This run") -> Self:
        """Validate parameters from a form, the API, Python or the command line.

        Raises:
            ParameterError: a parameter is unknown, of another type, out of bounds, or excludes another one.
            UnknownCheckError: a check is accepted that does not exist.
            FolderNameError: Delta cannot use the folder's name.
        """
        check_names(flow, given, cls.model_fields)
        check_places(given)
        try:
            request = cls.model_validate(given)
        except ValidationError as error:
            raise ParameterError("; ".join(_sentence(dict(problem)) for problem in error.errors())) from error
        request.check()
        return request

    @property
    def parameters(self) -> dict[str, Any]:
        """Return the values by the names of the flow's parameters."""
        return {name: getattr(self, name) for name in type(self).model_fields}

    @property
    def overrides(self) -> dict[str, Any]:
        """Return the values that replace settings, by the names of the settings."""
        marked = {
            marker.setting: getattr(self, name)
            for name, field in type(self).model_fields.items()
            for marker in field.metadata
            if isinstance(marker, Overrides)
        }
        return {name: value for name, value in marked.items() if value is not None}

    def load_settings(self, **more: Any) -> Settings:
        """Read the environment and `.env`; values of this request override both.

        Raises:
            SettingsError: a value is not valid.
        """
        return load_settings(getattr(self, "movie_ids_file", None), **more, **self.overrides)

    def check(self) -> None:
        """Reject values that exclude each other, or that must not be parameters."""
        if is_signed(getattr(self, "imdb_ratings", None)):
            raise ParameterError("Set an address with a query as IMDB_RATINGS: as an option it would be seen")


def check_names(flow: str, given: Collection[str], known: Collection[str]) -> None:
    """Reject parameters that a flow does not have.

    Raises:
        ParameterError: there is an unknown parameter.
    """
    if unknown := sorted(set(given) - set(known)):
        raise ParameterError(f"{flow} has no parameter {', '.join(unknown)}; it has {', '.join(known)}")


def check_places(given: Mapping[str, Any]) -> None:
    """Check paths and URLs before they are converted, because `Path` changes a URL.

    Raises:
        ParameterError: a path or URL is not valid.
        FolderNameError: Delta cannot use the folder's name.
    """
    for name, parse in PLACES.items():
        if given.get(name) is not None:
            try:
                parse(str(given[name]))
            except ValueError as error:
                raise ParameterError(f"{name.upper()}: {error}") from error
    if given.get("lake_root") is not None:
        from movies.lake.table import check_folder

        check_folder(parse_lake(given["lake_root"]))


def _sentence(problem: dict[str, Any]) -> str:
    return f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
