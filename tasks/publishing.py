"""What a Spark stage leaves in the lake, and by which code; published last, skipped where it stands."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from prefect import runtime

from movies.lake.delta import TableVersion, open_table, version_to_read
from movies.lake.publications import TABLES_BY_NAME, Publication, find_current, last, publish
from stages.names import StageName
from tasks.context import current_spark

logger = logging.getLogger(__name__)

Inputs = dict[str, TableVersion]
Written = tuple[dict[str, TableVersion], dict[str, Any]]


@dataclass(frozen=True)
class Order:
    """What a stage is asked to write: from which versions, by which code, after which publication."""

    lake_root: str
    inputs: Mapping[str, TableVersion]
    versions: Mapping[str, int]
    code: str
    run_id: str
    previous: Publication | None

    def origin(self, **more: object) -> dict[str, str]:
        """What each commit says of where its rows come from."""
        read = {f"{name.replace('/', '_')}_version": read.version for name, read in self.inputs.items()}
        facts = read | {"code_version": self.code, "run_id": self.run_id} | more
        return {name: str(value) for name, value in facts.items()}


def find_standing(lake_root: str, stage: StageName, inputs: Inputs, code: str) -> Publication | None:
    """What the stage would do, where that has been done; None where the run is to rebuild all the same."""
    return None if current_spark().rebuild else find_current(lake_root, stage, inputs, code)


async def publish_stage(
    stage: StageName, lake_root: str, inputs: Inputs, code: str, write: Callable[[Order], Written]
) -> dict[str, Any]:
    """Write a stage's tables and publish them last; the result names what is published."""
    # Prefect may have lost its cached result while the lake still has what it was about.
    publication = find_standing(lake_root, stage, inputs, code)
    if publication is None:
        order = Order(
            lake_root,
            inputs,
            {name: _version_to_read(lake_root, name, read) for name, read in inputs.items()},
            code,
            str(runtime.flow_run.id or ""),
            last(lake_root, stage),
        )
        with current_spark().deaths_explained():
            outputs, facts = await asyncio.to_thread(write, order)
        publication = Publication(stage, inputs, outputs, code, facts, order.run_id)
        publish(lake_root, publication)
        read = ", ".join(f"{name} version {read.version}" for name, read in inputs.items())
        logger.info("%s of %s: %s", stage, read, describe(facts))
    return {"versions": publication.versions, **publication.facts}


def describe(facts: Mapping[str, Any]) -> str:
    """What a stage has made, in words."""
    if "rows" in facts:
        return f"{sum(facts['rows'].values()):,} rows in {len(facts['rows'])} tables"
    refused = (("filtered", facts["filtered"]), ("in quarantine", facts["quarantined"]))
    counts = [f"{sum(reasons.values()):,} {what}" for what, reasons in refused]
    if (rated := facts.get("rated")) is not None:
        counts.append(f"{rated:,} rated by IMDb")
    judged = "all" if facts["judged"] is None else f"{facts['judged']:,} changed"
    return ", ".join([f"{facts['movies']:,} movies", *counts, f"{judged} judged"])


def _version_to_read(lake_root: str, name: str, read: TableVersion) -> int:
    found = open_table(TABLES_BY_NAME[name], lake_root)
    assert found is not None, f"{name} has just been there"
    return version_to_read(found, read)
