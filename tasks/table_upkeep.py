"""The upkeep tasks, which run once per table, and the artifact of what they did."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from prefect import task
from prefect.artifacts import acreate_table_artifact
from prefect.cache_policies import NO_CACHE

from movies.lake.table import Table
from movies.lake.upkeep import drop_older, maintain
from tasks.optional import optional


@task(name="drop-old-rows", task_run_name="{table.name}", cache_policy=NO_CACHE, persist_result=False)
async def drop_old_rows(table: Table, lake_root: str, column: str, before: datetime) -> int:
    """Drop the rows of one table that are older than a moment, and return their number."""
    return await asyncio.to_thread(drop_older, table, lake_root, column, before)


@task(name="maintain-table", task_run_name="{table.name}", cache_policy=NO_CACHE, persist_result=False)
async def maintain_table(table: Table, lake_root: str, retention_days: float) -> dict[str, Any] | None:
    """Compact one table and delete unused files; return None if the table does not exist."""
    done = await asyncio.to_thread(maintain, table, lake_root, timedelta(days=retention_days))
    return asdict(done) if done is not None else None


@optional
async def show_upkeep(rows: list[dict[str, Any]]) -> None:
    """Show what was done to each table as an artifact."""
    await acreate_table_artifact(
        rows,
        key="upkeep",
        description="Files of each table before and after compaction, files deleted, and old rows dropped",
    )
