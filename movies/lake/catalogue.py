"""The tables of a lake by the names that people call them, each at the version they are to see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches

import pyarrow as pa
from deltalake import DeltaTable

from movies.lake.all_tables import TABLES
from movies.lake.delta import open_table, origin_of_commit, query, version_to_read
from movies.lake.errors import LakeAccessError, TableMissingError, UnknownTableError, VersionGoneError, access
from movies.lake.integrity import require_files
from movies.lake.names import SHORT_NAMES, layer_of, short_name, sql_name
from movies.lake.publications import Publication, read_publications
from movies.lake.table import Table

# Read as their stage has published them; all other tables are read as they are.
PUBLISHED_LAYER = "gold"


def find_table(name: str) -> Table:
    """The table called `gold.genres`, `gold/genres` or, where no other is called so, `genres`.

    Raises:
        UnknownTableError: there is none; the text has what may be meant.
    """
    wanted = name.strip().strip('"').replace('"', "").replace("/", ".").lower()
    for table in TABLES:
        if wanted == sql_name(table):
            return table
    if wanted in SHORT_NAMES:
        return SHORT_NAMES[wanted]
    same = [sql_name(table) for table in TABLES if short_name(table) == wanted]
    if same:
        raise UnknownTableError(f"There are several tables called {wanted}: {' and '.join(same)}")
    own = wanted.rpartition(".")[2]
    near = (
        [own] if own in SHORT_NAMES else get_close_matches(wanted, [*map(sql_name, TABLES), *SHORT_NAMES], 1)
    )
    hint = f"did you mean {sql_name(find_table(near[0]))}?" if near else "`movies show` lists all"
    raise UnknownTableError(f"There is no table {name}: {hint}")


@dataclass(frozen=True)
class Entry:
    """A table that is there, open at the version to see, and the publication that names it, if one does."""

    table: Table
    found: DeltaTable
    newest: DeltaTable
    publication: Publication | None

    @property
    def version(self) -> int:
        """The version that is to be seen."""
        return int(self.found.version())

    @property
    def is_published(self) -> bool:
        """Whether the version to see is one that a stage has published, and not merely the newest."""
        outputs = {} if self.publication is None else self.publication.outputs
        return self.table.name in outputs and layer_of(self.table) == PUBLISHED_LAYER

    def count_rows(self) -> int:
        """How many rows it has; the log knows, so no file is read.

        Raises:
            LakeAccessError: the table cannot be read.
        """
        return int(query(self.found, "SELECT count(*) AS rows FROM t").column("rows")[0].as_py())

    def first_rows(self, count: int) -> pa.Table:
        """So many rows of it, with all columns.

        Raises:
            LakeError: the table cannot be read.
        """
        require_files(self.table, self.found)
        return query(self.found, f"SELECT * FROM t LIMIT {count}")

    def written_at(self) -> datetime | None:
        """When the version was committed, UTC; None where upkeep has dropped that from the log."""
        newer = self.newest.version() - self.version
        with access("read", self.newest.table_uri):
            commits = self.newest.history(limit=newer + 1)
        moments = [commit["timestamp"] for commit in commits if commit["version"] == self.version]
        return datetime.fromtimestamp(moments[0] / 1000, UTC) if moments else None

    def origin(self) -> Mapping[str, str]:
        """What its rows come from, as the commit says; empty where it says nothing."""
        return origin_of_commit(self.newest, self.version)


class Catalogue:
    """The tables of one lake, opened when they are asked for."""

    def __init__(self, lake_root: str) -> None:
        self.lake_root = lake_root
        self._by_output: dict[str, Publication] | None = None

    def entries(self) -> Iterator[tuple[Table, Entry | None]]:
        """Every declared table, with what there is of it."""
        for table in TABLES:
            try:
                yield table, self.open(table)
            except TableMissingError:
                yield table, None

    def open(self, table: Table, version: int | None = None) -> Entry:
        """Open a table at a version; without one, at that which is published, or the newest.

        Raises:
            TableMissingError: the lake has no such table yet.
            VersionGoneError: the version is not there, or not any more.
            LakeAccessError: the table cannot be read.
        """
        newest = open_table(table, self.lake_root)
        if newest is None:
            raise TableMissingError(
                f"{sql_name(table)} is not in the lake at {self.lake_root} yet: `movies run` makes it"
            )
        publication = self._publication_of(table)
        if version is None and publication is not None and layer_of(table) == PUBLISHED_LAYER:
            content = publication.outputs[table.name]
            if content.table_id != str(newest.metadata().id):
                raise VersionGoneError(
                    f"{sql_name(table)} is not the table that was published: `movies run` makes it again"
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

    def _publication_of(self, table: Table) -> Publication | None:
        if self._by_output is None:
            self._by_output = {
                name: publication
                for publication in read_publications(self.lake_root).values()
                for name in publication.outputs
            }
        return self._by_output.get(table.name)
