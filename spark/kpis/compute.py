"""Computing every KPI from one read of silver."""

from __future__ import annotations

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from lake.arrow import arrow_schema
from lake.tables import SILVER_MOVIES, Table
from spark.frames import keep_result, read_table
from spark.kpis.kpi import MOVIE_COLUMNS
from spark.kpis.registry import KPIS

# Kept movies are narrow: more files than these cost more to open than they save.
KEPT_FILES = 2


def compute_kpis(
    session: SparkSession, lake_root: str, silver_version: int | None = None
) -> dict[str, pa.Table]:
    """Compute all gold tables, keyed by name, from silver as it is now or was at one version."""
    silver = read_table(session, SILVER_MOVIES.path(lake_root), silver_version)
    movies = keep_result(silver.select(*MOVIE_COLUMNS).coalesce(KEPT_FILES))
    return {kpi.table.name: to_arrow(kpi.query(movies), kpi.table) for kpi in KPIS}


def to_arrow(rows: DataFrame, table: Table) -> pa.Table:
    """Collect a gold table's rows with exactly its declared columns and types."""
    return rows.toArrow().cast(arrow_schema(table))
