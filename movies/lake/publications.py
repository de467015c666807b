"""The current silver and gold tables, what they were made from, and by which code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from movies.lake.arrow import EPOCH, arrow_schema, moments
from movies.lake.commits import rewrite
from movies.lake.delta import Lake, LakeView, TableVersion, content_version, open_table, query
from movies.lake.integrity import damaged_files, require_files
from movies.lake.table import named
from movies.lake.tables import PUBLICATIONS


@dataclass(frozen=True)
class Publication:
    """The versions of the tables that a stage wrote and of those that it read.

    `facts` are figures for a run's summary, such as numbers of rows and of quarantined movies.
    """

    stage: str
    inputs: Mapping[str, TableVersion]
    outputs: Mapping[str, TableVersion]
    code_version: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    run_id: str = ""
    published_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def versions(self) -> dict[str, int]:
        """The version of each table that the stage wrote."""
        return {name: version.version for name, version in self.outputs.items()}


def publish(lake_root: str, publication: Publication) -> None:
    """Make this the current publication of its stage."""
    row = {
        "stage": publication.stage,
        "code_version": publication.code_version,
        "inputs": _dump(publication.inputs),
        "outputs": _dump(publication.outputs),
        "facts": json.dumps(publication.facts),
        "run_id": publication.run_id,
        "published_at": publication.published_at,
    }
    columns = ", ".join(PUBLICATIONS.columns)

    def add_row(found: DeltaTable) -> pa.Table:
        others = query(found, f"SELECT {columns} FROM t WHERE stage <> '{publication.stage}' ORDER BY stage")
        return pa.Table.from_pylist([*others.to_pylist(), row], schema=arrow_schema(PUBLICATIONS))

    rewrite(PUBLICATIONS, lake_root, add_row)


def read_publications(lake: Lake) -> dict[str, Publication]:
    """Return the publication of every stage that has one, without checking its tables."""
    if isinstance(lake, LakeView):
        return lake.know(_read, lambda: _read(lake))
    return _read(lake)


def _read(lake: Lake) -> dict[str, Publication]:
    found = open_table(PUBLICATIONS, lake)
    if found is None:
        return {}
    require_files(PUBLICATIONS, found)
    rows = query(found, "SELECT * FROM t")
    published_at = moments(rows.column("published_at"))
    return {
        row["stage"]: Publication(
            stage=row["stage"],
            inputs=_load(row["inputs"]),
            outputs=_load(row["outputs"]),
            code_version=row["code_version"],
            facts=json.loads(row["facts"]),
            run_id=row["run_id"],
            published_at=moment or EPOCH,
        )
        for row, moment in zip(rows.drop_columns("published_at").to_pylist(), published_at, strict=True)
    }


def find_publication(lake: Lake, stage: str) -> Publication | None:
    """Return a stage's publication, without checking its tables."""
    return read_publications(lake).get(stage)


def find_intact(lake: Lake, stage: str) -> Publication | None:
    """Return a stage's publication if its tables have the published content and all files, otherwise None."""
    found = find_publication(lake, stage)
    return None if found is None or find_damage(lake, found) else found


def find_damage(lake: Lake, publication: Publication) -> str:
    """Describe what is wrong with a publication's tables; empty if content and files are as published."""
    damaged, changed = [], False
    for name, expected in publication.outputs.items():
        found = open_table(named(name), lake)
        if found is None or content_version(found) != expected:
            changed = True
        elif damaged_files(found):
            damaged.append(name.replace("/", "."))
    if damaged:
        return f"files of {', '.join(damaged)} are missing or torn"
    return "its tables are not as published" if changed else ""


def _dump(versions: Mapping[str, TableVersion]) -> str:
    return json.dumps({name: asdict(version) for name, version in versions.items()})


def _load(text: str) -> dict[str, TableVersion]:
    return {name: TableVersion(**version) for name, version in json.loads(text).items()}
