"""KPIs of silver's movies: one module a noun, one declaration a table."""

from spark.kpis.all_kpis import KPIS
from spark.kpis.compute import compute_kpis, compute_tables, read_movies
from spark.kpis.kpi import Kpi

__all__ = ["KPIS", "Kpi", "compute_kpis", "compute_tables", "read_movies"]
