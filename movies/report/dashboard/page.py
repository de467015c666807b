"""Build the page: one file with all parts, and a policy that lets no other script run."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from movies.report.dashboard.data import collect, to_json
from movies.report.dashboard.libraries import data_tables, data_tables_style, digest, plotly
from movies.report.provenance import ATTRIBUTION, Provenance

if TYPE_CHECKING:
    import pyarrow as pa

_PARTS = Path(__file__).parent / "page"
# In the order of their dependencies.
_SCRIPTS = ("formats", "movies", "filters", "theme", "scatters", "bars", "tables", "quality", "main")
_PLACE = re.compile(r"\{\{(\w+)\}\}")


def dashboard_page(
    tables: Mapping[str, pa.Table], provenance: Provenance, quality: pa.Table | None = None
) -> str:
    """Build the page from gold tables; the same tables give the same page.

    Args:
        tables: gold tables by name, including all of the report.
        provenance: the data that they were made from.
        quality: `gold/data_quality` of the same silver, if it was checked.

    Raises:
        IncompleteGold: a table of the report is missing.
        MissingLibraryError: a library to embed is not installed.
    """
    script = _script()
    parts = {
        "policy": _policy(script),
        "style": _read("style.css"),
        "script": script,
        "caption": html.escape(provenance.caption),
        "attribution": html.escape(ATTRIBUTION),
        "data": to_json(collect(tables, provenance, quality)),
        "plotly": plotly().base64,
        "data_tables": data_tables().base64,
        "data_tables_style": data_tables_style().base64,
    }
    return _PLACE.sub(lambda place: parts[place[1]], _read("page.html"))


def _policy(script: str) -> str:
    """Return a policy that allows only these scripts and no loading; Plotly needs inline styles."""
    scripts = " ".join(f"'{known}'" for known in (digest(script), plotly().digest, data_tables().digest))
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _script() -> str:
    body = "\n".join(_read(f"{name}.js") for name in _SCRIPTS)
    return f'(() => {{\n"use strict";\n{body}\n}})();\n'


def _read(name: str) -> str:
    return (_PARTS / name).read_text(encoding="utf-8").replace("\r\n", "\n")
