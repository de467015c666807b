"""The tables of a lake by the names that users give them, each at the version that users see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cached_property

import pyarrow as pa
from deltalake import DeltaTable

from movies.lake.all_tables import tables_of
from movies.lake.delta import open_table, origin_of_commit, query, version_to_read
from movies.lake.integrity import require_files
from movies.lake.lake_errors import (
    LakeAccessError,
    TableMissingError,
    UnknownTableError,
    VersionGoneError,
    access,
)
from movies.lake.publications import Publication, read_publications
from movies.lake.table import Table
from movies.lake.table_names import layer_of, short_name, short_names, sql_name

# Tables of this layer are read at the published version; all others at the newest.
PUBLISHED_LAYER = "gold"


@dataclass(frozen=True)
class Entry:
    """An existing table, open at the version that users see, with the publication that names it, if any."""

    table: Table
    found: DeltaTable
    newest: DeltaTable
    publication: Publication | None

    @property
    def version(self) -> int:
        """The version that users see."""
        return int(self.found.version())

    @property
    def is_published(self) -> bool:
        """Whether a stage has published this version; otherwise it is simply the newest."""
        outputs = {} if self.publication is None else self.publication.outputs
        return self.table.name in outputs and layer_of(self.table) == PUBLISHED_LAYER

    def count_rows(self) -> int:
        """Count the rows from the log, without reading a data file.

        Raises:
            LakeAccessError: the table cannot be read.
        """
        return int(query(self.found, "SELECT count(*) AS rows FROM t").column("rows")[0].as_py())

    def first_rows(self, count: int) -> pa.Table:
        """Return up to `count` rows with all columns.

        Raises:
            LakeError: the table cannot be read.
        """
        require_files(self.table, self.found)
        return query(self.found, f"SELECT * FROM t LIMIT {count}")

    def written_at(self) -> datetime | None:
        """Return when the version was committed, in UTC, or None if upkeep has dropped that from the log."""
        newer = self.newest.version() - self.version
        with access("read", self.newest.table_uri):
            commits = self.newest.history(limit=newer + 1)
        moments = [commit["timestamp"] for commit in commits if commit["version"] == self.version]
        return datetime.fromtimestamp(moments[0] / 1000, UTC) if moments else None

    def origin(self) -> Mapping[str, str]:
        """Return what the rows were made from, as the commit records it; empty if it does not."""
        return origin_of_commit(self.newest, self.version)


class Catalogue:
    """The tables of one lake, opened on request."""

    def __init__(self, lake_root: str) -> None:
        self.lake_root = lake_root

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """All tables, including those that the lake does not have yet."""
        return tables_of(self.lake_root)

    @cached_property
    def short_names(self) -> Mapping[str, Table]:
        """The tables whose names without the layer are unique, by these names."""
        return short_names(self.tables)

    def find(self, name: str) -> Table:
        """Return the table called `gold.genres`, `gold/genres` or, if the name is unique, `genres`.

        Raises:
            UnknownTableError: there is no such table; the text suggests a name.
        """
        wanted = name.strip().replace('"', "").replace("/", ".").lower()
        names = {**{sql_name(table): table for table in self.tables}, **self.short_names}
        if wanted in names:
            return names[wanted]
        same = [sql_name(table) for table in self.tables if short_name(table) == wanted]
        if same:
            raise UnknownTableError(f"There are several tables called {wanted}: {' and '.join(same)}")
        own = wanted.rpartition(".")[2]
        near = [own] if own in self.short_names else get_close_matches(wanted, names, 1)
        hint = f"did you mean {sql_name(names[near[0]])}?" if near else "`movies show` lists all"
        raise UnknownTableError(f"There is no table {name}: {hint}")

    def entries(self) -> Iterator[tuple[Table, Entry | None]]:
        """Yield every table with its open table, or None if the lake does not have it."""
        for table in self.tables:
            try:
                yield table, self.open(table)
            except TableMissingError:
                yield table, None

    def open(self, table: Table, version: int | None = None) -> Entry:
        """Open a table at a version: by default the published one, or the newest if none is published.

        Raises:
            TableMissingError: the lake has no such table yet.
            VersionGoneError: the version does not exist, or no longer.
            LakeAccessError: the table cannot be read.
        """
        newest = open_table(table, self.lake_root)
        if newest is None:
            raise TableMissingError(
                f"{sql_name(table)} is not in the lake at {self.lake_root} yet. Run `movies run` to make it."
            )
        publication = self._publications.get(table.name)
        if version is None and publication is not None and layer_of(table) == PUBLISHED_LAYER:
            content = publication.outputs[table.name]
            if content.table_id != str(newest.metadata().id):
                raise VersionGoneError(
                    f"{sql_name(table)} is not the table that was published. Run `movies run` to rebuild it."
                )
            version = version_to_read(newest, content)
        is_newest = version is None or version == newest.version()
        found = newest if is_newest else self._open_older(table, version or 0, newest.version())
        return Entry(table, found, newest, publication)

    def _open_older(self, table: Table, version: int, newest: int) -> DeltaTable:
        if version > newest:
            raise VersionGoneError(f"{sql_name(table)} has no version {version}: its newest is {newest}")
        try:
            older = open_table(table, self.lake_root, version)
        except LakeAccessError as error:
            raise VersionGoneError(
                f"Version {version} of {sql_name(table)} cannot be read any more"
            ) from error
        assert older is not None, f"{table.name} has just been there"
        return older

    @cached_property
    def _publications(self) -> Mapping[str, Publication]:
        publications = read_publications(self.lake_root).values()
        return {name: publication for publication in publications for name in publication.outputs}
