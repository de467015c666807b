"""Sources of the ids to fetch: each subclass of `Source` in a module of this package is one."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

from pydantic import ValidationError

from movies.tmdb.sources.ids import Ids
from movies.tmdb.sources.source import Found, Position, Source, Tmdb

__all__ = ["IDS", "SOURCES", "Found", "Ids", "Position", "Source", "Tmdb", "build_source"]


def _find() -> dict[str, type[Source]]:
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    found: list[type[Source]] = [Ids, *Source.__subclasses__()]
    return {source.__name__.lower(): source for source in found}


IDS = "ids"
SOURCES = _find()


def build_source(name: str, filters: Mapping[str, str]) -> Source:
    """Build a source from its name and its filters, whose values are texts from the command line.

    Raises:
        ValueError: there is no such source, or it does not have such a filter; the text is a sentence.
    """
    if name not in SOURCES:
        raise ValueError(f"There is no source {name!r}. Choose one of {', '.join(SOURCES)}")
    if SOURCES[name] is Ids and filters:
        raise ValueError(f"The source {name} takes no filters. Leave out {next(iter(filters))!r}")
    try:
        return SOURCES[name].model_validate(dict(filters))
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            known = ", ".join(SOURCES[name].model_fields)
            raise ValueError(f"The source {name} has no filter {where!r}. Choose one of {known}") from None
        text = str(problem["msg"]).removeprefix("Value error, ")
        raise ValueError(f"The filter {where} of the source {name}: {text}" if where else text) from None
