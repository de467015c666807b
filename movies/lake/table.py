"""Declarations of Delta tables: name in the lake, columns with types and meanings, and folder."""

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

from movies.lake.lake_errors import FolderNameError

if TYPE_CHECKING:
    from obstore.store import ObjectStore

# Characters in names of folders that delta-rs 1.6 decodes, takes for a separator, or rejects.
NOT_FOR_DELTA = re.compile(
    r"%[0-9A-Fa-f]{2}|[\[\]|^\x00-\x1f\x7f\ud800-\udfff]" + ("" if os.sep == "\\" else r"|\\")
)


# A line of a declaration, such as `long movies: Number of movies.`
_COLUMN = re.compile(r"(long|integer|double|string|date|timestamp) (\w+): (\S.*)")


@dataclass(frozen=True)
class Column:
    """A column's Delta type and its meaning, which is the comment in Delta's schema."""

    type: str
    meaning: str


@dataclass(frozen=True)
class Table:
    """A table's name in the lake, its meaning, and its columns in order.

    `statistics_on` names the columns whose minimum and maximum the log has for each file; all if it is empty.
    `optional` are columns that a setting adds or removes; `columns` has them if they are wanted. A commit of
    the table's whole content adds or removes them.
    """

    name: str
    meaning: str
    columns: Mapping[str, Column]
    partition_by: tuple[str, ...] = ()
    statistics_on: tuple[str, ...] = ()
    optional: Mapping[str, Column] = field(default_factory=lambda: MappingProxyType({}))

    def path(self, lake_root: str) -> str:
        """Return the table's folder or object-store URL.

        Raises:
            FolderNameError: Delta tables cannot be there.
        """
        check_folder(lake_root)
        return f"{lake_root.rstrip('/')}/{self.name}"


def named(name: str) -> Table:
    """Return a table without columns, to open it by name."""
    return Table(name, meaning="", columns=MappingProxyType({}))


def local_folder(root: str) -> Path | None:
    """Return the folder of a lake, or None if its root names an object store."""
    if "://" not in root:
        return Path(root)
    url = urlsplit(root)
    return Path(url2pathname(url.path)) if url.scheme == "file" else None


def open_store(root: str) -> ObjectStore:
    """Open the files below a root with the library and environment variables that delta-rs uses.

    A missing folder is created.
    """
    # Imported here because declarations of tables need no library.
    from obstore.store import LocalStore, from_url

    check_folder(root)
    folder = local_folder(root)
    # An existing folder is only read, because a write fails on a full disk.
    return from_url(root) if folder is None else LocalStore(folder.absolute(), mkdir=not folder.is_dir())


def check_folder(root: str) -> None:
    """Reject a folder that delta-rs takes for another one, or cannot open.

    delta-rs resolves symbolic links first, so a link to the folder does not help.

    Raises:
        FolderNameError: it is such a folder.
    """
    folder = local_folder(root)
    if folder is not None and (odd := NOT_FOR_DELTA.search(str(folder.resolve()))):
        raise FolderNameError(
            f"Delta tables cannot be stored in {folder}, because its full name has {odd[0]!r}. "
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
    """Declare a table; columns are given as lines of text, or taken from another table by `pick`.

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
    """Return columns of a table with their types and meanings, to declare another table."""
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
