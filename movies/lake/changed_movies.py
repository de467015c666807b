"""Find the movies whose rows in the raw tables differ from an earlier version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from movies.lake.arrow import arrow_schema
from movies.lake.data_files import data_paths, read_columns
from movies.lake.delta import Lake, TableVersion, open_table, query, root_of
from movies.lake.lake_errors import LakeAccessError
from movies.lake.table import Table
from movies.lake.tables import FETCH_FAILURES, IMDB_RATINGS, RATED_MOVIES, RAW_MOVIES

# Rows with the same key are the same row, because compaction and deletion rewrite rows without changing them.
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
class ChangedMovies:
    """The movies whose raw rows have changed, and how many movies there are in all.

    `latest` has the columns `movie_id`, `fetched_at` and `batch_id`: the key of each changed movie's latest
    row in `raw/movies`, if it still has one.
    """

    movie_ids: pa.Array
    latest: pa.Table
    movies: int

    @property
    def share(self) -> float:
        """Share of the movies that have changed."""
        return len(self.movie_ids) / max(self.movies, 1)


def find_changes(
    lake_root: str, before: Mapping[str, TableVersion], now: Mapping[str, int]
) -> ChangedMovies | None:
    """Compare the raw tables with earlier versions of them, without reading payloads.

    Return None if they cannot be compared: a table was recreated, or upkeep has deleted the earlier files.
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
    return ChangedMovies(
        movie_ids, keep_latest(fetched.filter(pc.is_in(fetched["movie_id"], value_set=movie_ids))), movies
    )


def find_gone(lake: Lake, before: TableVersion | None) -> pa.ChunkedArray | None:
    """Return the movies in `raw/movies` whose "not found" rows have changed since an earlier version.

    Silver uses no other rows of `raw/fetch_failures`. Return None if the earlier version no longer exists or
    belongs to another table. If `before` is None, all rows count.
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
    """Return the ids of silver's movies whose IMDb rating or votes differ from the ratings table."""
    silver = open_table(RATED_MOVIES, lake_root)
    ratings = open_table(IMDB_RATINGS, lake_root, ratings_version)
    assert silver is not None and ratings is not None, "both have just been there"
    return query(silver, RATED_OTHERWISE, ratings=ratings).column(0).combine_chunks().cast(pa.int64())


def keep_latest(fetched: pa.Table) -> pa.Table:
    """Keep one row for each movie: the latest by `fetched_at`, then `batch_id`."""
    order = [("movie_id", "ascending"), ("fetched_at", "descending"), ("batch_id", "descending")]
    ordered = fetched.sort_by(order)
    firsts = [("fetched_at", "first"), ("batch_id", "first")]
    return (
        pa.TableGroupBy(ordered, "movie_id", use_threads=False)
        .aggregate(firsts)
        .rename_columns(fetched.column_names)
    )


def _other_rows(table: Table, lake_root: str, before: TableVersion | None, version: int) -> pa.Table | None:
    """Return the keys of rows that only one of two versions has, or None if they cannot be compared."""
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
    """Return the keys of rows that only one version has; files that both have are not read."""
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
