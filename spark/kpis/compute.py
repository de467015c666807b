"""Compute all KPIs from one read of silver."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from movies.lake.arrow import arrow_schema
from movies.lake.table import Table
from movies.lake.tables import SILVER_MOVIES
from spark.frames import keep_result, read_table
from spark.kpis.all_kpis import KPIS
from spark.kpis.kpi import MOVIE_COLUMNS

# Stored movies are small, and more files would take longer to open.
KEPT_FILES = 2


def compute_kpis(
    session: SparkSession, lake_root: str, silver_version: int | None = None
) -> dict[str, pa.Table]:
    """Compute all gold tables, keyed by name, from a version of silver, by default the newest."""
    return compute_tables(read_movies(session, lake_root, silver_version))


def read_movies(
    session: SparkSession,
    lake_root: str,
    silver_version: int | None = None,
    columns: Iterable[str] = MOVIE_COLUMNS,
) -> DataFrame:
    """Read columns of silver once, and store them for all KPIs."""
    silver = read_table(session, SILVER_MOVIES.path(lake_root), silver_version)
    return keep_result(silver.select(*columns).coalesce(KEPT_FILES))


def compute_tables(movies: DataFrame) -> dict[str, pa.Table]:
    """Compute all gold tables, keyed by name, from stored movies (`MOVIE_COLUMNS`)."""
    return {kpi.table.name: to_arrow(kpi.query(movies), kpi.table) for kpi in KPIS}


def to_arrow(rows: DataFrame, table: Table) -> pa.Table:
    """Collect a gold table's rows with exactly its declared columns and types."""
    return rows.toArrow().cast(arrow_schema(table))
