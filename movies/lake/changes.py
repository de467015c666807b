"""Which movies have other rows in the raw tables than they had at an earlier version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from movies.lake.arrow import arrow_schema
from movies.lake.delta import Lake, TableVersion, open_table, query, root_of
from movies.lake.errors import LakeAccessError
from movies.lake.files import data_paths, read_columns
from movies.lake.table import Table
from movies.lake.tables import FETCH_FAILURES, IMDB_RATINGS, RATED_MOVIES, RAW_MOVIES

# A row counts as the same where these are: compaction moves rows, and dropping some writes the rest anew.
KEYS = {
    RAW_MOVIES.name: ("movie_id", "fetched_at", "batch_id"),
    FETCH_FAILURES.name: ("movie_id", "failed_at", "batch_id", "reason"),
}
RATED_OTHERWISE = """
    SELECT t.id FROM t LEFT JOIN ratings ON t.imdb_id = ratings.imdb_id
    WHERE (t.imdb_rating IS DISTINCT FROM ratings.rating) OR (t.imdb_votes IS DISTINCT FROM ratings.votes)
"""
FETCHED = "SELECT movie_id, fetched_at, batch_id FROM t"
FETCHED_SCHEMA = pa.schema(
    {"movie_id": pa.int64(), "fetched_at": pa.timestamp("us", "UTC"), "batch_id": pa.string()}
)


@dataclass(frozen=True)
class Changes:
    """The movies with other raw rows than before, of how many.

    `latest` has the key of the latest row in `raw/movies` of each that still has one, by the columns
    `movie_id`, `fetched_at` and `batch_id`.
    """

    movie_ids: pa.Array
    latest: pa.Table
    movies: int

    @property
    def share(self) -> float:
        """How much of the lake has changed."""
        return len(self.movie_ids) / max(self.movies, 1)


def find_changes(
    lake_root: str, before: Mapping[str, TableVersion], now: Mapping[str, int]
) -> Changes | None:
    """Compare the raw tables' rows of now with those of earlier versions; payloads are not read.

    None where that cannot be told: a table was made anew, or upkeep has deleted the earlier files.
    """
    changed = []
    for table in (RAW_MOVIES, FETCH_FAILURES):
        rows = _other_rows(table, lake_root, before.get(table.name), now[table.name])
        if rows is None:
            return None
        changed.append(rows["movie_id"])
    movie_ids = pa.chunked_array([chunk for ids in changed for chunk in ids.chunks], pa.int64()).unique()
    raw = open_table(RAW_MOVIES, lake_root, now[RAW_MOVIES.name])
    assert raw is not None, "it has just been read"
    fetched = query(raw, FETCHED).cast(FETCHED_SCHEMA)
    movies = pc.count_distinct(fetched["movie_id"]).as_py()
    return Changes(
        movie_ids, keep_latest(fetched.filter(pc.is_in(fetched["movie_id"], value_set=movie_ids))), movies
    )


def find_gone(lake: Lake, before: TableVersion | None) -> pa.ChunkedArray | None:
    """Return the movies in `raw/movies` of which other rows say that they were not found than at a version.

    No other row of `raw/fetch_failures` is of concern to silver. None if the earlier version is not there any
    more, or is another table's; without one, all rows count.
    """
    raw, failures = open_table(RAW_MOVIES, lake), open_table(FETCH_FAILURES, lake)
    if raw is None or failures is None:
        return pa.chunked_array([], pa.int64())
    if before is None:
        before = TableVersion(str(failures.metadata().id), 0)
    rows = _other_rows(FETCH_FAILURES, root_of(lake), before, failures.version())
    if rows is None:
        return None
    not_found = rows.filter(pc.equal(rows["reason"], "not_found"))["movie_id"].unique()
    if not len(not_found):
        return pa.chunked_array([], pa.int64())
    known = query(raw, "SELECT movie_id FROM t")["movie_id"].unique()
    return pa.chunked_array([not_found.filter(pc.is_in(not_found, value_set=known))])


def find_rated_otherwise(lake_root: str, ratings_version: int) -> pa.Array:
    """The movies of silver, by id, that have another rating or other votes than IMDb gives them now."""
    silver = open_table(RATED_MOVIES, lake_root)
    ratings = open_table(IMDB_RATINGS, lake_root, ratings_version)
    assert silver is not None and ratings is not None, "both have just been there"
    return query(silver, RATED_OTHERWISE, ratings=ratings).column(0).combine_chunks().cast(pa.int64())


def keep_latest(fetched: pa.Table) -> pa.Table:
    """One row for each movie: the latest by `fetched_at`, then `batch_id`."""
    order = [("movie_id", "ascending"), ("fetched_at", "descending"), ("batch_id", "descending")]
    ordered = fetched.sort_by(order)
    firsts = [("fetched_at", "first"), ("batch_id", "first")]
    return (
        pa.TableGroupBy(ordered, "movie_id", use_threads=False)
        .aggregate(firsts)
        .rename_columns(fetched.column_names)
    )


def _other_rows(table: Table, lake_root: str, before: TableVersion | None, version: int) -> pa.Table | None:
    """The keys of rows that only one of two versions has; None where that cannot be told."""
    after = open_table(table, lake_root, version)
    if after is None or before is None or str(after.metadata().id) != before.table_id:
        return None
    if before.version == version:
        return arrow_schema(table).empty_table().select(list(KEYS[table.name]))
    try:
        earlier = open_table(table, lake_root, before.version)
        assert earlier is not None, "the table is there"
        return _compare(table, after, earlier)
    except LakeAccessError:
        return None


def _compare(table: Table, after: DeltaTable, earlier: DeltaTable) -> pa.Table:
    """The keys of rows that only one of two versions has; in files that both have, rows are the same."""
    paths_now, paths_then = data_paths(after), data_paths(earlier)
    keys = KEYS[table.name]
    sides = [
        (read_columns(table, after, paths_now - paths_then, keys), 1),
        (read_columns(table, earlier, paths_then - paths_now, keys), -1),
    ]
    rows = pa.concat_tables(
        [keyed.append_column("side", pa.array([side] * keyed.num_rows, pa.int64())) for keyed, side in sides]
    )
    counted = pa.TableGroupBy(rows, list(keys), use_threads=False).aggregate([("side", "sum")])
    return counted.filter(pc.not_equal(counted["side_sum"], 0)).select(list(keys))
