"""Every table of a lake.

A module of its own, so that a change of a gold table does not change the code that silver is made by.
"""

from __future__ import annotations

from movies.lake.forecast_tables import FORECAST
from movies.lake.gold_tables import GOLD
from movies.lake.tables import (
    DATA_QUALITY,
    FETCH_FAILURES,
    IMDB_RATINGS,
    PUBLICATIONS,
    RAW_MOVIES,
    SILVER,
)

TABLES = (RAW_MOVIES, FETCH_FAILURES, IMDB_RATINGS, *SILVER, *GOLD, DATA_QUALITY, *FORECAST, PUBLICATIONS)
TABLES_BY_NAME = {table.name: table for table in TABLES}
