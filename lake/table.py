"""What a Delta table is: a name within the lake, columns with their types, and a place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit
from urllib.request import url2pathname


@dataclass(frozen=True)
class Table:
    """A table's name within the lake and its columns in order, each with its Delta type.

    `statistics_on` names the columns whose least and greatest value the log keeps for each file; all where
    it is empty. `optional` are columns that a setting gives and takes: the table may have them or not, and
    `columns` has them where they are wanted. They come and go with a commit of the table's whole content.
    """

    name: str
    columns: Mapping[str, str]
    partition_by: tuple[str, ...] = ()
    statistics_on: tuple[str, ...] = ()
    optional: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def path(self, lake_root: str) -> str:
        """The table's folder or object-store URL."""
        return f"{lake_root.rstrip('/')}/{self.name}"


def local_folder(root: str) -> Path | None:
    """The folder that a lake's root names; None where it names an object store."""
    if "://" not in root:
        return Path(root)
    url = urlsplit(root)
    return Path(url2pathname(url.path)) if url.scheme == "file" else None


def declare(
    name: str,
    *column_groups: str,
    partition_by: tuple[str, ...] = (),
    statistics_on: tuple[str, ...] = (),
    optional: tuple[str, ...] = (),
) -> Table:
    """Declare a table from lines of `type: column column …`; it is without its optional columns."""
    return Table(name, _columns(column_groups), partition_by, statistics_on, _columns(optional))


def with_optional(table: Table) -> Table:
    """The same table with its optional columns, after the others."""
    return replace(table, columns=MappingProxyType({**table.columns, **table.optional}))


def _columns(groups: tuple[str, ...]) -> Mapping[str, str]:
    columns: dict[str, str] = {}
    for group in groups:
        kind, _, names = group.partition(": ")
        columns |= dict.fromkeys(names.split(), kind)
    return MappingProxyType(columns)
