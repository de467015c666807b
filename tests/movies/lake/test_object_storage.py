"""The lake in an object store: the same code and the same guarantees, over a real S3 API."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake.fs import DeltaStorageHandler
from pyarrow.fs import PyFileSystem
from typer.testing import CliRunner

from cli.app import app
from movies.lake.all_tables import TABLES
from movies.lake.arrow import arrow_schema
from movies.lake.backup import copy_file, copy_lake
from movies.lake.commits import APPLICATION_ID, Appender
from movies.lake.data_files import adopt_files, new_folder, replace_rows
from movies.lake.delta import content_version, create, open_table, origin_of, read
from movies.lake.gold_tables import GOLD, OVERVIEW
from movies.lake.lake_errors import LakeAccessError
from movies.lake.snapshots import Snapshot
from movies.lake.table import open_store
from movies.lake.tables import FETCH_FAILURES, IMDB_RATINGS, RAW_MOVIES, SILVER_MOVIES
from movies.settings import DEFAULT_MOVIE_IDS
from tasks.imdb_ratings import mirror_ratings
from tests.movies.imdb.files import write_ratings
from tests.movies.lake.s3_server import s3_server
from tests.movies.lake.test_commits import ids, movies
from tests.places import Place

pytestmark = pytest.mark.store


EXISTING = sorted(set(DEFAULT_MOVIE_IDS) - {0})
NO_ENGINE = {"SPARK_MASTER": "sc://127.0.0.1:1"}
COMMITTERS = 8


@pytest.fixture(scope="module")
def store():
    """A store with the environment of this process pointing to it, as that of a run would."""
    with s3_server() as variables, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in variables.items():
            patch.setenv(name, value)
        yield variables["AWS_ENDPOINT_URL"]


@pytest.fixture(scope="module")
def new_bucket(store):
    """Make a bucket, and return its URL."""

    def make(name: str) -> str:
        httpx.put(f"{store}/{name}", trust_env=False).raise_for_status()
        return f"s3://{name}"

    return make


@pytest.fixture
def root(new_bucket) -> str:
    """A place for lakes."""
    return f"{new_bucket(uuid4().hex)}/some/place"


@pytest.fixture(scope="module")
def place(new_bucket, tmp_path_factory, prefect_api, prefect_home) -> Place:
    """A folder whose lake lies in the store, filled by the first run."""
    folder = tmp_path_factory.mktemp("place")
    place = Place(
        folder,
        {
            "PREFECT_API_URL": prefect_api,
            "PREFECT_HOME": str(prefect_home),
            "LAKE_ROOT": f"{new_bucket('lakes')}/movies",
        },
    )
    place.succeed()
    return place


def contents(root: str) -> dict[str, object]:
    """Each table's content version, and with it all that publications name."""
    found = {table.name: open_table(table, root) for table in TABLES}
    return {name: table and content_version(table) for name, table in found.items()}


def test_a_run_fills_a_lake_in_an_object_store(place):
    assert place.movie_ids() == EXISTING
    assert place.rows(FETCH_FAILURES, "movie_id", "reason") == [(0, "not_found")]
    assert place.rows(SILVER_MOVIES, "id") == EXISTING
    assert place.rows(OVERVIEW, "movies") == [18]
    assert all(open_table(table, place.lake) is not None for table in GOLD)
    assert not (place.folder / "data").exists()


def test_an_unchanged_run_changes_nothing_in_an_object_store(place):
    before = contents(place.lake)

    said = place.succeed(**NO_ENGINE)

    assert "fetched ..........         0  (0 requests, 0 retries)" in said
    assert "Unchanged" in said
    assert contents(place.lake) == before


def test_a_lake_goes_from_a_store_to_a_folder_and_back_and_a_run_goes_on_from_there(place, new_bucket):
    backup, back = str(place.folder / "backup"), f"{new_bucket('restored')}/movies"

    saved = CliRunner().invoke(app, ["backup", backup, "--lake-root", place.lake])
    restored = CliRunner().invoke(app, ["restore", backup, "--lake-root", back])

    assert (saved.exit_code, restored.exit_code) == (0, 0), saved.output + restored.output
    assert f"Backup is in {backup}, copied in " in saved.stdout
    assert f"Lake is in {back}, copied in " in restored.stdout
    assert contents(back) == contents(backup) == contents(place.lake)
    said = place.succeed(**NO_ENGINE, LAKE_ROOT=back)
    assert "fetched ..........         0  (0 requests, 0 retries)" in said
    assert "Unchanged" in said


def test_a_restored_lake_takes_new_movies_once(root):
    Appender(RAW_MOVIES, f"{root}/lake", "sandbox").append(movies(1, 2), "first")
    copy_lake(f"{root}/lake", f"{root}/backup")
    copy_lake(f"{root}/backup", f"{root}/restored")

    Appender(RAW_MOVIES, f"{root}/restored", "sandbox").append(movies(3), "next")

    assert ids(f"{root}/restored") == [1, 2, 3]
    assert open_table(RAW_MOVIES, f"{root}/restored").transaction_version(APPLICATION_ID) == 2
    assert ids(f"{root}/lake") == ids(f"{root}/backup") == [1, 2]


def test_committers_at_the_same_time_lose_and_double_nothing(root):
    together = threading.Barrier(COMMITTERS)

    def commit(number: int) -> None:
        appender = Appender(RAW_MOVIES, root, "sandbox", unique="movie_id")
        together.wait()
        for batch in range(3):
            # Half of it is another one's, too.
            batch_id = f"batch {number}-{batch}"
            rows = movies(*range(100 * batch, 100 * batch + 5), 1000 * number + batch, batch_id=batch_id)
            appender.append(rows, batch_id)

    Appender(RAW_MOVIES, root, "sandbox")
    with ThreadPoolExecutor(COMMITTERS) as pool:
        list(pool.map(commit, range(1, COMMITTERS + 1)))

    shared = [100 * batch + movie for batch in range(3) for movie in range(5)]
    own = [1000 * number + batch for number in range(1, COMMITTERS + 1) for batch in range(3)]
    assert ids(root) == sorted(shared + own)
    table = open_table(RAW_MOVIES, root)
    assert table.version() == table.transaction_version(APPLICATION_ID) == 3 * COMMITTERS


def test_large_files_are_copied_whole(root, tmp_path):
    content = os.urandom(20_000_000)
    (tmp_path / "file").write_bytes(content)

    copy_file(open_store(str(tmp_path)), open_store(root), "file")
    copy_file(open_store(root), open_store(str(tmp_path / "back")), "file")

    assert (tmp_path / "back" / "file").read_bytes() == content


def test_a_bucket_that_is_not_there_is_told_in_one_sentence(store, tmp_path):
    lake = "s3://no-such-bucket/lake"
    with pytest.raises(LakeAccessError, match=r"s3://no-such-bucket/lake/.* cannot be read: .*404 Not Found"):
        copy_lake(lake, str(tmp_path / "target"))

    said = CliRunner().invoke(app, ["status", "--lake-root", lake])

    assert said.exit_code == 1
    assert said.stderr.startswith("Error: s3://no-such-bucket/lake/raw/movies cannot be read: ")
    assert not Path(tmp_path / "target").exists()


def test_files_are_adopted_and_rows_replaced_in_a_store(root, tmp_path):
    table, origin = SILVER_MOVIES, {"run_id": "r"}
    schema = arrow_schema(table)

    def rows(*found):
        return pa.Table.from_pylist(
            [dict(zip(("id", "release_year"), row, strict=True)) for row in found], schema=schema
        )

    create(table, root)
    folder = new_folder(table, root)
    place = folder.removeprefix(f"{root}/{table.name}/")
    store = PyFileSystem(DeltaStorageHandler.from_table(open_table(table, root)._table))
    for year in (1999, 2001):
        part = rows((year - 1990, year), (year - 1900, year)).drop_columns(["release_year"])
        pq.write_table(part, f"{place}/release_year={year}/part.parquet", filesystem=store)

    adopt_files(table, root, folder, 4, origin)
    replace_rows(table, root, pa.array([9, 11]), rows((9, 2005)), origin)

    found = read(table, root).select(["id", "release_year"]).to_pylist()
    assert sorted(tuple(row.values()) for row in found) == [(9, 2005), (99, 1999), (101, 2001)]
    assert origin_of(table, root) == origin


def test_a_file_of_ratings_is_mirrored_once(root, tmp_path):
    path = write_ratings(tmp_path / "ratings.tsv", [("tt0000001", 5.5, 9)])
    told = Snapshot("ratings.tsv", "", "", "", 0)

    assert [mirror_ratings(root, path, told, "b")[1] for _ in range(2)] == [True, False]

    assert read(IMDB_RATINGS, root).column("rating").to_pylist() == [5.5]
