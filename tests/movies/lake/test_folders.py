"""Lakes in folders of any name: each is the folder that was named, or is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from movies.lake.backup import copy_lake
from movies.lake.data_files import read_columns
from movies.lake.delta import open_table, query, read
from movies.lake.integrity import damaged_files, files_of
from movies.lake.lake_errors import FolderNameError
from movies.lake.sql import ask
from movies.lake.table import open_store
from movies.lake.tables import FETCH_FAILURES
from movies.lake.upkeep import compact, delete_unneeded_files
from tests.movies.lake.small_lake import write

TAKEN = (
    "My Films",
    "Filme für Ödön",
    "映画",
    "100% sure",
    "a#b",
    "a?b",
    "it's",
    'a"b',
    "a{b}",
    "a*b",
    "a:b",
    "a<b",
    "~",
    "~ $HOME",
)
REFUSED = ("a%20b", "%41", "a[1]", "a^b", "a|b", "a\\b", "a\nb", "ä%C3%A4")
ROW = {"movie_id": 1, "reason": "not_found"}


@pytest.mark.parametrize("name", TAKEN)
def test_a_lake_is_in_the_very_folder_that_is_named(name, tmp_path):
    root = str(tmp_path / name / "lake")

    write(FETCH_FAILURES, root, ROW)
    found = open_table(FETCH_FAILURES, root)
    compact(found)
    delete_unneeded_files(found, timedelta(days=7))
    found.create_checkpoint()
    copy_lake(root, str(tmp_path / name / "copy"))

    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert {path.name for path in (tmp_path / name).iterdir()} == {"lake", "copy"}
    for place in (root, str(tmp_path / name / "copy"), (tmp_path / name / "lake").as_uri()):
        table = open_table(FETCH_FAILURES, place)
        assert query(table, "SELECT movie_id FROM t").to_pylist() == [{"movie_id": 1}]
        assert read_columns(FETCH_FAILURES, table, files_of(table), ["movie_id"]).to_pylist() == [
            {"movie_id": 1}
        ]
        assert damaged_files(table) == []
        assert ask(place, "SELECT reason FROM raw.fetch_failures").read_all().to_pylist() == [
            {"reason": "not_found"}
        ]


@pytest.mark.parametrize("name", REFUSED)
def test_a_folder_that_would_be_taken_for_another_one_is_refused_and_nothing_is_made(name, tmp_path):
    with pytest.raises(FolderNameError, match="Choose another folder"):
        write(FETCH_FAILURES, str(tmp_path / name), ROW)
    with pytest.raises(FolderNameError):
        open_store(str(tmp_path / name))

    assert list(tmp_path.iterdir()) == []


def test_a_link_does_not_hide_a_name_that_is_refused(tmp_path):
    (tmp_path / "a%20b").mkdir()
    (tmp_path / "plain").symlink_to(tmp_path / "a%20b")

    with pytest.raises(FolderNameError, match="'%20'"):
        write(FETCH_FAILURES, str(tmp_path / "plain"), ROW)


def test_an_escape_and_a_blank_are_two_folders(tmp_path):
    write(FETCH_FAILURES, str(tmp_path / "a b"), ROW)

    with pytest.raises(FolderNameError):
        read(FETCH_FAILURES, str(tmp_path / "a%20b"))
