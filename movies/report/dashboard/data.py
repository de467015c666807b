"""The data of the page as JSON: gold tables as columns, and their provenance."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from movies.lake import gold_tables as tables
from movies.lake.tables import DATA_QUALITY
from movies.report.dashboard.listings import LISTED_ROWS, LISTINGS, Listing
from movies.report.formats import LONGEST
from movies.report.gold import Gold
from movies.report.provenance import ATTRIBUTION, Provenance

if TYPE_CHECKING:
    import pyarrow as pa

# Six decimals of a million dollars are a dollar, and the page shows nothing smaller.
DECIMALS = 6
# In a script element these could end it, begin another one, or break a line of JavaScript.
_ESCAPES = str.maketrans(
    {sign: f"\\u{ord(sign):04x}" for sign in ("<", ">", "&", "\N{LINE SEPARATOR}", "\N{PARAGRAPH SEPARATOR}")}
)

# Columns of joined names and their maximum length, because a payload may name thousands.
JOINED = ("genres", "director")
LONGEST_LIST = 5_000
# Plotly's axes square their values, which must stay finite. No real figure is near this.
LARGEST_FIGURE = 1e30

Columns = dict[str, list[Any]]


def collect(
    given: Mapping[str, pa.Table], provenance: Provenance, quality: pa.Table | None
) -> dict[str, Any]:
    """Collect the data that the page shows.

    Args:
        given: gold tables by name; those that are not in the report may be missing.
        provenance: the data that they were made from.
        quality: `gold/data_quality` of the same publication, or None if there were no checks.

    Raises:
        IncompleteGold: a table of the report is missing.
    """
    gold = Gold.from_arrow(given)
    fetched_until = provenance.fetched_until
    return {
        "attribution": ATTRIBUTION,
        "provenance": {
            "movies": gold.movies,
            "fetched_until": None if fetched_until is None else fetched_until.isoformat(),
            "raw_version": provenance.raw_version,
            "silver_version": provenance.silver_version,
            "code_version": provenance.code_version,
            "run_id": provenance.run_id,
        },
        "overview": {name: _plain(value) for name, value in gold.overview.items()},
        "movies": _columns(gold.tables[tables.MOVIE_SAMPLE.name].sort_by("id")),
        "listings": {
            listing.name: _listed(listing, given[listing.table.name])
            for listing in LISTINGS
            if listing.table.name in given
        },
        "quality": None if quality is None else _columns(quality.select(list(DATA_QUALITY.columns))),
        "meanings": {
            table.name.removeprefix("gold/"): {name: column.meaning for name, column in table.columns.items()}
            for table in (tables.MOVIE_SAMPLE, DATA_QUALITY, *(listing.table for listing in LISTINGS))
        },
    }


def to_json(data: Mapping[str, Any]) -> str:
    """Encode data as JSON that is safe in a script element, even with hostile titles."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(_ESCAPES)


def _listed(listing: Listing, table: pa.Table) -> dict[str, Any]:
    order = [
        (column.removeprefix("-"), "descending" if column.startswith("-") else "ascending")
        for column in listing.order
    ]
    first = table.sort_by(order).slice(0, LISTED_ROWS)
    return {
        "title": listing.title,
        "table": listing.table.name,
        "rows": table.num_rows,
        "columns": _columns(first.select(list(listing.columns))),
    }


def _columns(table: pa.Table) -> Columns:
    return {
        name: [_plain(value, name in JOINED) for value in table[name].to_pylist()]
        for name in table.column_names
    }


def _plain(value: Any, is_joined: bool = False) -> Any:
    """Convert a value for JSON: round figures, replace impossible ones by null, and cut long texts.

    Joined names are cut between names.
    """
    if isinstance(value, float):
        return round(value, DECIMALS) if abs(value) <= LARGEST_FIGURE else None
    if isinstance(value, str) and is_joined and len(value) > LONGEST_LIST:
        return value[:LONGEST_LIST].rpartition("|")[0] or None
    if isinstance(value, str) and not is_joined and len(value) > LONGEST:
        return f"{value[: LONGEST - 1]}…"
    return value
