"""Every table of a lake: the declared ones, and those that KPIs declare in modules of their own.

It is a separate module so that a change to a gold table does not count as a change to silver's code.
"""

from __future__ import annotations

from movies.lake.delta import Lake, declared_in, open_table
from movies.lake.forecast_tables import FORECAST
from movies.lake.gold_tables import GOLD
from movies.lake.publications import read_publications
from movies.lake.table import Table, named
from movies.lake.tables import (
    DATA_QUALITY,
    FETCH_FAILURES,
    IMDB_RATINGS,
    PUBLICATIONS,
    RAW_MOVIES,
    SILVER,
)

TABLES = (RAW_MOVIES, FETCH_FAILURES, IMDB_RATINGS, *SILVER, *GOLD, DATA_QUALITY, *FORECAST, PUBLICATIONS)


def tables_of(lake: Lake) -> tuple[Table, ...]:
    """Return the declared tables and, before the last, others that this lake's stages have published.

    The declarations of the others are read from their logs.
    """
    declared = {table.name: table for table in TABLES}
    published = {name for publication in read_publications(lake).values() for name in publication.outputs}
    others = ((name, open_table(named(name), lake)) for name in sorted(published - declared.keys()))
    *before, last = TABLES
    return (*before, *(declared_in(found, name) for name, found in others if found is not None), last)
