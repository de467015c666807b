"""The gold tables in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from movies.lake import gold_tables as tables
from movies.lake.table import Table

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]

# The tables of the report and the plots; other gold tables are only for queries and the dashboard.
REPORT_TABLES = (
    tables.OVERVIEW,
    tables.MOVIE_RANKINGS,
    tables.MOVIE_SEARCHES,
    tables.FRANCHISE_COMPARISON,
    tables.FRANCHISES,
    tables.DIRECTORS,
    tables.GENRES,
    tables.YEARS,
    tables.MOVIE_SAMPLE,
)

# With fewer movies there is no pattern, and rankings, averages and plots say so.
FEW_MOVIES = 3


class IncompleteGold(ValueError):
    """A gold table or column that the report needs was not given."""


@dataclass(frozen=True)
class Gold:
    """The gold tables of the report; rows are sorted when they are read."""

    tables: Mapping[str, pa.Table]

    @classmethod
    def from_arrow(cls, by_name: Mapping[str, pa.Table]) -> Gold:
        """Select the report's tables from a mapping by name, such as `gold/overview`."""
        missing = [table.name for table in REPORT_TABLES if table.name not in by_name]
        if missing:
            raise IncompleteGold(f"Gold tables missing: {', '.join(missing)}; given: {', '.join(by_name)}.")
        for table in REPORT_TABLES:
            given = by_name[table.name].column_names
            lacking = [column for column in table.columns if column not in given]
            if lacking:
                raise IncompleteGold(
                    f"{table.name} lacks the columns {', '.join(lacking)}; given: {', '.join(given)}."
                )
        return cls({table.name: by_name[table.name].select(list(table.columns)) for table in REPORT_TABLES})

    def rows(self, table: Table, *, by: str, first: int | None = None) -> list[Row]:
        """Return the rows of a table sorted by a column, or only the `first` of them."""
        rows: list[Row] = self.tables[table.name].sort_by(by).slice(0, first).to_pylist()
        return rows

    @property
    def overview(self) -> Row:
        """The row of totals; if there is none, a row of no movies."""
        rows = self.rows(tables.OVERVIEW, by="movies")
        return rows[0] if rows else {**dict.fromkeys(tables.OVERVIEW.columns), "movies": 0}

    @property
    def movies(self) -> int:
        """Number of movies in silver."""
        return int(self.overview["movies"] or 0)

    @property
    def sampled(self) -> bool:
        """Whether `gold/movie_sample` has only a part of the movies."""
        return self.count(tables.MOVIE_SAMPLE) < self.movies

    def ranking(self, name: str) -> list[Row]:
        """Return the rows of a ranking, first place first."""
        return [row for row in self.rows(tables.MOVIE_RANKINGS, by="rank") if row["ranking"] == name]

    def search(self, name: str) -> list[Row]:
        """Return the hits of a search in their order."""
        return [row for row in self.rows(tables.MOVIE_SEARCHES, by="rank") if row["search"] == name]

    def segments(self) -> tuple[Row, Row]:
        """Return the row of franchise movies and that of standalone movies."""
        rows = {row["segment"]: row for row in self.rows(tables.FRANCHISE_COMPARISON, by="segment")}
        nothing = {**dict.fromkeys(tables.FRANCHISE_COMPARISON.columns), "movies": 0}
        return rows.get("Franchise", nothing), rows.get("Standalone", nothing)

    def count(self, table: Table) -> int:
        """Count the rows of a table."""
        return int(self.tables[table.name].num_rows)
