"""Every table of a lake.

It is a separate module so that a change to a gold table does not count as a change to silver's code.
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
