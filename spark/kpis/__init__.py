"""KPIs of silver's movies: one module a noun, one declaration a table."""

from spark.kpis.compute import compute_kpis, compute_tables, read_movies
from spark.kpis.kpi import Kpi
from spark.kpis.registry import KPIS

__all__ = ["KPIS", "Kpi", "compute_kpis", "compute_tables", "read_movies"]
