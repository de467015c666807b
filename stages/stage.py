"""Stages: what they read and write, which code decides the result, and whether it is current."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from movies.lake.delta import LakeView, TableVersion, content_version, open_table
from movies.lake.publications import Publication, find_damage, find_publication, read_publications
from movies.lake.table import Table
from stages.code import code_version

Inputs = dict[str, TableVersion]

SPARK_LIBRARIES = ("deltalake", "msgspec", "pyarrow", "pysail", "pyspark")


class Stage(Protocol):
    """A step that writes tables or files, and knows why they are stale."""

    @property
    def name(self) -> str: ...

    def find_reasons(self, lake: LakeView) -> list[str]: ...


def why_stale(stage: Stage, lake: LakeView) -> list[str]:
    """Return the reasons to run a stage, each a clause; empty if its result is current.

    The view caches the reasons.
    """
    return lake.know(stage, lambda: stage.find_reasons(lake))


@dataclass(frozen=True, eq=False)
class TableStage:
    """A stage that makes tables from tables, and publishes them last.

    Attributes:
        name: The name of its publication.
        reads: Tables whose content decides the result; of a table that another stage publishes, the content
            that is published.
        writes: The tables that it writes.
        module: The module with the function that makes them: it and its imports decide the result.
        libraries: Libraries whose versions decide the result.
        variant: A choice that decides the result as well.
        is_unaffected: Whether the result stays the same although the inputs are not those of a publication.
        find_more: Further reasons to run it.
    """

    name: str
    reads: tuple[Table, ...]
    writes: tuple[Table, ...]
    module: str
    libraries: tuple[str, ...]
    variant: str = ""
    is_unaffected: Callable[[LakeView, Publication, Inputs], bool] | None = None
    find_more: Callable[[LakeView, Publication], list[str]] | None = None

    @property
    def code(self) -> str:
        """The version of the code that decides the result."""
        version = code_version(self.module, self.libraries)
        return f"{version}-{self.variant}" if self.variant else version

    def find_inputs(self, lake: LakeView) -> Inputs:
        """Return the content of each table that it reads and that exists."""
        return lake.know((self, "inputs"), lambda: self._find_inputs(lake))

    def find_reasons(self, lake: LakeView) -> list[str]:
        """Compare its publication with what the lake has now."""
        found = find_publication(lake, self.name)
        if found is None:
            return ["it has published nothing yet"]
        inputs = self.find_inputs(lake)
        reasons = [*self._compare_inputs(found.inputs, inputs)]
        reads_the_same = found.inputs.keys() == inputs.keys() == {table.name for table in self.reads}
        if (
            reasons
            and reads_the_same
            and self.is_unaffected is not None
            and self.is_unaffected(lake, found, inputs)
        ):
            reasons = []
        if found.code_version != self.code:
            reasons.append("its code has changed")
        if damage := find_damage(lake, found):
            reasons.append(damage)
        return reasons + ([] if self.find_more is None else self.find_more(lake, found))

    def _compare_inputs(self, before: Mapping[str, TableVersion], now: Inputs) -> Iterator[str]:
        names = [table.name for table in self.reads]
        for name, read in before.items():
            if name in names and now.get(name) != read:
                yield f"{_dotted(name)} has changed since version {read.version}"
        yield from (f"{_dotted(name)} is no longer read" for name in before if name not in names)
        yield from (f"{_dotted(name)} is now read, too" for name in names if name not in before)

    def _find_inputs(self, lake: LakeView) -> Inputs:
        publications = read_publications(lake)
        inputs: Inputs = {}
        for table in self.reads:
            publisher = next((one for one in publications.values() if table.name in one.outputs), None)
            if publisher is not None:
                inputs[table.name] = publisher.outputs[table.name]
            elif (found := open_table(table, lake)) is not None:
                inputs[table.name] = content_version(found)
        return inputs


def _dotted(name: str) -> str:
    return name.replace("/", ".")


def facts_of(publication: Publication) -> dict[str, Any]:
    """Return the result of a stage's task: the versions of its tables and the counts of the run."""
    return {"versions": publication.versions, **publication.facts}
