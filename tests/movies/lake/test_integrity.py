"""Tables that have lost files, or have torn ones: noticed without reading a file, and made whole again."""

from __future__ import annotations

from pathlib import Path

import pytest

from movies.lake.backup import UNFINISHED, CopyRefusedError, copy_lake
from movies.lake.commits import Appender
from movies.lake.delta import open_table, read
from movies.lake.gold_tables import GENRES
from movies.lake.integrity import damaged_files, files_of
from movies.lake.inventory import read_inventory
from movies.lake.lake_errors import FilesLostError
from movies.lake.publications import find_intact, read_publications
from movies.lake.repair import LOST, drop_lost_files
from movies.lake.sql import ask
from movies.lake.table import Table
from movies.lake.tables import PUBLICATIONS, RAW_MOVIES, SILVER_MOVIES
from movies.lake.work_list import owed_movies
from tests.movies.lake.small_lake import GENRE_ROWS, make_lake, write
from tests.movies.lake.test_commits import movies


def data_file(table: Table, root: str) -> Path:
    return Path(root, table.name, min(files_of(open_table(table, root))))


def remove(path: Path) -> None:
    path.unlink()


def tear(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


@pytest.fixture
def root(tmp_path: Path) -> str:
    return make_lake(str(tmp_path / "lake"))


@pytest.mark.parametrize("damage", [remove, tear])
@pytest.mark.parametrize("table", [SILVER_MOVIES, GENRES], ids=lambda table: table.name)
def test_a_published_table_is_not_current_without_all_of_its_files(root, table, damage):
    stage = "transform" if table is SILVER_MOVIES else "kpis"
    assert find_intact(root, stage) is not None
    path = data_file(table, root)
    damage(path)

    assert damaged_files(open_table(table, root)) == [path.relative_to(Path(root, table.name)).as_posix()]
    assert find_intact(root, stage) is None


@pytest.mark.parametrize("damage", [remove, tear])
def test_rows_that_a_torn_table_had_are_written_anew(root, damage):
    damage(data_file(GENRES, root))

    write(GENRES, root, *GENRE_ROWS)

    assert damaged_files(open_table(GENRES, root)) == []
    assert read(GENRES, root).select(["genre", "movies"]).to_pylist() == GENRE_ROWS


@pytest.mark.parametrize("table", [SILVER_MOVIES, GENRES], ids=lambda table: table.name)
def test_a_query_names_the_table_that_is_not_whole_and_what_rebuilds_it(root, table):
    path = data_file(table, root)
    remove(path)

    with pytest.raises(FilesLostError, match=rf"^{table.name} has files .*{path.name}.*`movies run`"):
        ask(root, f'SELECT count(*) FROM "{table.name}"')
    assert ask(root, "SELECT movies FROM gold.overview").read_all().to_pylist() == [{"movies": 3}]


@pytest.mark.parametrize("table", [RAW_MOVIES, SILVER_MOVIES, PUBLICATIONS], ids=lambda table: table.name)
@pytest.mark.parametrize("damage", [remove, tear])
def test_a_backup_with_a_torn_or_missing_file_is_not_restored(root, tmp_path, table, damage):
    copy_lake(root, str(tmp_path / "backup"))
    damage(data_file(table, str(tmp_path / "backup")))

    with pytest.raises(CopyRefusedError, match=f"{table.name} has files .*use another one"):
        copy_lake(str(tmp_path / "backup"), str(tmp_path / "again"))
    assert not (tmp_path / "again").exists()


def test_the_mark_of_an_unfinished_copy_may_be_torn(root, tmp_path):
    Path(root, UNFINISHED).write_text('{"raw/mo')

    with pytest.raises(CopyRefusedError, match=r"is damaged, .*Delete the copy"):
        copy_lake(root, str(tmp_path / "copy"))


def test_a_torn_hint_of_the_log_is_left_out_of_the_copy(root, tmp_path):
    open_table(RAW_MOVIES, root).create_checkpoint()
    Path(root, RAW_MOVIES.name, "_delta_log", "_last_checkpoint").write_text('{"vers')

    copy_lake(root, str(tmp_path / "copy"))

    assert read(RAW_MOVIES, str(tmp_path / "copy")).num_rows == 4


@pytest.mark.parametrize("damage", [remove, tear])
def test_publications_that_are_lost_are_a_sentence_with_what_to_do(root, damage):
    damage(data_file(PUBLICATIONS, root))

    with pytest.raises(FilesLostError, match="Delete its folder and run `movies run`"):
        read_publications(root)


@pytest.mark.parametrize("damage", [remove, tear])
def test_movies_in_lost_raw_files_are_to_be_fetched_again_and_the_others_stay(root, damage):
    path = data_file(RAW_MOVIES, root)
    Appender(RAW_MOVIES, root, "sandbox").append(movies(680), "b2")
    damage(path)

    drop_lost_files(root, "sandbox")

    inventory = read_inventory(root)
    assert damaged_files(open_table(RAW_MOVIES, root)) == []
    assert read(RAW_MOVIES, root)["movie_id"].to_pylist() == [680]
    assert list(owed_movies(inventory, LOST)) == [18, 24, 95]


def test_a_whole_lake_is_left_alone(root):
    versions = open_table(RAW_MOVIES, root).version()

    drop_lost_files(root, "sandbox")

    assert open_table(RAW_MOVIES, root).version() == versions
    assert read_inventory(root).owed_by_reason == {}
