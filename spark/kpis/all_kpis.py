"""All KPIs that modules of this package declare, in the order of the gold tables."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from movies.lake.gold_tables import GOLD
from spark.kpis.kpi import Kpi


def _find() -> tuple[Kpi, ...]:
    names = sorted(module.name for module in iter_modules([str(Path(__file__).parent)]))
    modules = [import_module(f"spark.kpis.{name}") for name in names if name not in ("compute", "registry")]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, Kpi)]
    return tuple(sorted(found, key=lambda kpi: GOLD.index(kpi.table)))


KPIS = _find()
