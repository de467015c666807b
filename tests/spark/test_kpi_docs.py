"""`docs/kpis.md` defines what the code declares."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from movies.lake.gold_tables import GOLD
from spark.kpis import KPIS, Kpi
from spark.kpis.rankings import RANKINGS
from spark.kpis.searches import SEARCHES
from spark.kpis.suspicious_money import SUSPICIONS

DOC = (Path(__file__).parents[2] / "docs" / "kpis.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kpi", KPIS, ids=lambda kpi: kpi.table.name)
def test_every_kpi_has_its_row(kpi: Kpi) -> None:
    columns = ", ".join(kpi.table.columns)
    assert f"\n| `{kpi.table.name}` | {kpi.definition} | `{columns}` |\n" in DOC


def test_every_column_is_defined_once() -> None:
    glossary = DOC.partition("\n## Columns\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.+?`) \|", glossary, re.MULTILINE)
    defined = [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(defined) == sorted({column for table in GOLD for column in table.columns})


def test_every_ranking_search_and_suspicion_is_defined() -> None:
    names = {entry.name: entry.definition for entry in (*RANKINGS, *SEARCHES)}
    names |= {suspicion.reason: suspicion.definition for suspicion in SUSPICIONS}
    assert [name for name, sentence in names.items() if f"\n| `{name}` | {sentence} |\n" not in DOC] == []
