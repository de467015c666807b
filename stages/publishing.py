"""Write the tables of a stage, and publish them last."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from movies.lake.delta import TableVersion, open_table, version_to_read
from movies.lake.publications import Publication, find_publication, publish
from movies.lake.table import named
from stages.spark_run import SparkRun
from stages.stage import Inputs, TableStage

logger = logging.getLogger(__name__)

Written = tuple[dict[str, TableVersion], dict[str, Any]]


@dataclass(frozen=True)
class Order:
    """The task of writing a stage: from which versions, by which code, after which publication."""

    lake_root: str
    inputs: Mapping[str, TableVersion]
    versions: Mapping[str, int]
    code: str
    run_id: str
    previous: Publication | None

    def origin(self, **more: object) -> dict[str, str]:
        """Return the metadata of each commit: where its rows come from."""
        read = {f"{name.replace('/', '_')}_version": read.version for name, read in self.inputs.items()}
        facts = read | {"code_version": self.code, "run_id": self.run_id} | more
        return {name: str(value) for name, value in facts.items()}


def make_tables(
    stage: TableStage,
    lake_root: str,
    inputs: Inputs,
    run_id: str,
    spark: SparkRun,
    write: Callable[[Order, SparkRun], Written],
) -> Publication:
    """Write a stage's tables from these inputs, and publish them last."""
    order = Order(
        lake_root,
        inputs,
        {name: _version_to_read(lake_root, name, read) for name, read in inputs.items()},
        stage.code,
        run_id,
        find_publication(lake_root, stage.name),
    )
    with spark.deaths_explained():
        outputs, facts = write(order, spark)
    missing = {table.name for table in stage.writes} - outputs.keys()
    assert not missing, f"{stage.name} has not written {', '.join(sorted(missing))}"
    publication = Publication(stage.name, inputs, outputs, order.code, facts, run_id)
    publish(lake_root, publication)
    read = ", ".join(f"{name} version {read.version}" for name, read in inputs.items())
    logger.info("%s of %s: %s", stage.name, read, describe(facts))
    return publication


def describe(facts: Mapping[str, Any]) -> str:
    """Describe what a stage has written."""
    if "rows" in facts:
        return f"{sum(facts['rows'].values()):,} rows in {len(facts['rows'])} tables"
    refused = (("filtered", facts["filtered"]), ("in quarantine", facts["quarantined"]))
    counts = [f"{sum(reasons.values()):,} {what}" for what, reasons in refused]
    if (rated := facts.get("rated")) is not None:
        counts.append(f"{rated:,} rated by IMDb")
    judged = "all" if facts["judged"] is None else f"{facts['judged']:,} changed"
    return ", ".join([f"{facts['movies']:,} movies", *counts, f"{judged} validated"])


def _version_to_read(lake_root: str, name: str, read: TableVersion) -> int:
    found = open_table(named(name), lake_root)
    assert found is not None, f"{name} has just been there"
    return version_to_read(found, read)
