"""Every engine in folders of any name."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pytest

import spark.engines.links
from movies.lake.arrow import arrow_schema
from movies.lake.data_files import adopt_files, new_folder
from movies.lake.delta import create, read
from movies.lake.tables import FETCH_FAILURES, SILVER_MOVIES
from spark.engines.links import plain_path, plain_temporary_place
from spark.engines.session import Engine, check_engine_settings
from spark.frames import read_table, write_files, write_partitions
from spark.spark_errors import EngineUnavailable
from tests.movies.lake.small_lake import write
from tests.movies.lake.test_folders import ROW, TAKEN

MOVIES = [{"id": 1, "release_year": 1999}, {"id": 2, "release_year": 2001}]


@pytest.mark.parametrize("name", TAKEN)
def test_an_engine_reads_and_writes_the_very_folder_that_is_named(engine: Engine, name, tmp_path):
    root = str(tmp_path / name / "lake")
    write(FETCH_FAILURES, root, ROW)
    create(SILVER_MOVIES, root)
    movies = engine.session.createDataFrame(pa.Table.from_pylist(MOVIES, arrow_schema(SILVER_MOVIES)))
    plain, parted = (new_folder(table, root) for table in (FETCH_FAILURES, SILVER_MOVIES))

    failures = read_table(engine.session, FETCH_FAILURES.path(root))
    write_files(failures, plain)
    write_partitions(movies, parted, "release_year", {1999: 1, 2001: 1})
    adopt_files(FETCH_FAILURES, root, plain, 1, {})
    adopt_files(SILVER_MOVIES, root, parted, 2, {})

    assert failures.select("movie_id").toArrow().to_pylist() == [{"movie_id": 1}]
    assert read(FETCH_FAILURES, root).to_pylist()[0]["reason"] == "not_found"
    assert read(SILVER_MOVIES, root).select(["id", "release_year"]).sort_by("id").to_pylist() == MOVIES
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_place_is_reached_by_a_link_only_if_its_name_needs_one(tmp_path):
    links = tmp_path / "links"
    links.mkdir()
    (tmp_path / "My Films").mkdir()

    assert plain_path(str(tmp_path / "films"), str(links)) == str(tmp_path / "films")
    assert plain_path("s3://bucket/My Films", str(links)) == "s3://bucket/My Films"
    linked = plain_path(str(tmp_path / "My Films" / "lake"), str(links))

    assert plain_path((tmp_path / "My Films" / "lake").as_uri(), str(links)) == linked
    assert [path.resolve() for path in links.iterdir()] == [tmp_path / "My Films"]
    assert Path(linked).parent.resolve() == tmp_path / "My Films"


def test_temporary_files_go_where_the_embedded_engine_takes_the_name(tmp_path, monkeypatch):
    odd = tmp_path / "tmp [1] %41"
    odd.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(odd))

    place = plain_temporary_place()

    assert spark.engines.links.is_plain(place)
    assert Path(place).is_dir()


def test_without_such_a_place_the_embedded_engine_is_refused_before_it_starts(monkeypatch):
    monkeypatch.setattr(spark.engines.links, "is_plain", lambda path: False)

    with pytest.raises(EngineUnavailable, match="Set TMPDIR to a folder named with"):
        check_engine_settings("sail")
    check_engine_settings("local[*]")
