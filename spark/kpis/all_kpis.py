"""All KPIs that modules of this package declare: in the order of `GOLD`, then by their tables' names."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from movies.lake.gold_tables import GOLD
from spark.kpis.kpi import Kpi


def _find() -> tuple[Kpi, ...]:
    names = {module.name for module in iter_modules([str(Path(__file__).parent)])} - {"compute", "all_kpis"}
    modules = [import_module(f"spark.kpis.{name}") for name in names]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, Kpi)]
    return tuple(sorted(found, key=_place))


def _place(kpi: Kpi) -> tuple[int, str]:
    return GOLD.index(kpi.table) if kpi.table in GOLD else len(GOLD), kpi.table.name


KPIS = _find()
