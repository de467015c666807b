"""What a Delta table is: a name within the lake, columns with their types and meanings, and a place."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from movies.lake.errors import FolderNameError

if TYPE_CHECKING:
    from obstore.store import ObjectStore

# What delta-rs 1.6 decodes although it is the name of a folder, turns into another separator, or refuses.
NOT_FOR_DELTA = re.compile(
    r"%[0-9A-Fa-f]{2}|[\[\]|^\x00-\x1f\x7f\ud800-\udfff]" + ("" if os.sep == "\\" else r"|\\")
)


# A line of a declaration, such as `long movies: Number of movies.`
_COLUMN = re.compile(r"(long|integer|double|string|date|timestamp) (\w+): (\S.*)")


@dataclass(frozen=True)
class Column:
    """A column's Delta type, and what it means in its table; Delta's schema has that as the comment."""

    type: str
    meaning: str


@dataclass(frozen=True)
class Table:
    """A table's name within the lake, what it holds, and its columns in order.

    `statistics_on` names the columns whose least and greatest value the log keeps for each file; all if it is
    empty. `optional` are columns that a setting adds or removes: the table may have them or not, and
    `columns` has them if they are wanted. They come and go with a commit of the table's whole content.
    """

    name: str
    meaning: str
    columns: Mapping[str, Column]
    partition_by: tuple[str, ...] = ()
    statistics_on: tuple[str, ...] = ()
    optional: Mapping[str, Column] = field(default_factory=lambda: MappingProxyType({}))

    def path(self, lake_root: str) -> str:
        """The table's folder or object-store URL.

        Raises:
            FolderNameError: no table can be kept there.
        """
        check_folder(lake_root)
        return f"{lake_root.rstrip('/')}/{self.name}"


def named(name: str) -> Table:
    """Return a table known by its name alone, to open it."""
    return Table(name, meaning="", columns=MappingProxyType({}))


def local_folder(root: str) -> Path | None:
    """The folder that a lake's root names; None where it names an object store."""
    if "://" not in root:
        return Path(root)
    url = urlsplit(root)
    return Path(url2pathname(url.path)) if url.scheme == "file" else None


def open_store(root: str) -> ObjectStore:
    """Open the files below a root by the library that delta-rs reads with, after the same variables.

    A folder that is missing is created.
    """
    # Not at the top: the declarations of tables need no library.
    from obstore.store import LocalStore, from_url

    check_folder(root)
    folder = local_folder(root)
    return from_url(root) if folder is None else LocalStore(folder.absolute(), mkdir=True)


def check_folder(root: str) -> None:
    """Refuse a folder that delta-rs takes for another one, or cannot open.

    It follows symbolic links first, so none helps.

    Raises:
        FolderNameError: this is one.
    """
    folder = local_folder(root)
    if folder is not None and (odd := NOT_FOR_DELTA.search(str(folder.resolve()))):
        raise FolderNameError(
            f"Delta tables cannot be kept in {folder}, because its full name has {odd[0]!r}. "
            "Choose another folder for them, with LAKE_ROOT or --lake-root."
        )


def declare(
    name: str,
    meaning: str,
    *columns: str | Mapping[str, Column],
    partition_by: tuple[str, ...] = (),
    statistics_on: tuple[str, ...] = (),
    optional: str = "",
) -> Table:
    """Declare a table without its optional columns; columns are lines, or those of another table (`pick`).

    Example:
        declare("gold/genres", "Genres.", "string genre: Name of the genre.", pick(YEARS, "movies"))
    """
    declared: dict[str, Column] = {}
    for part in columns:
        declared |= _parse(part) if isinstance(part, str) else part
    return Table(
        name,
        meaning,
        MappingProxyType(declared),
        partition_by,
        statistics_on,
        MappingProxyType(_parse(optional)),
    )


def pick(table: Table, names: str) -> Mapping[str, Column]:
    """Return columns of a table, with their types and meanings, to declare another table with."""
    return {name: table.columns[name] for name in names.split()}


def with_optional(table: Table) -> Table:
    """Return the same table with its optional columns after the others."""
    return replace(table, columns=MappingProxyType({**table.columns, **table.optional}))


def _parse(block: str) -> dict[str, Column]:
    columns = {}
    for line in filter(str.strip, block.splitlines()):
        match = _COLUMN.fullmatch(" ".join(line.split()))
        assert match is not None, f"not a declaration of a column: {line}"
        columns[match[2]] = Column(match[1], match[3])
    return columns
