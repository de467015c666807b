import json
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from typer.testing import CliRunner

import cli.backup_command
from cli.app import app
from movies.lake import backup
from movies.lake.backup import (
    CopyBrokenError,
    CopyRefusedError,
    check_finished,
    copy_file,
    copy_lake,
)
from movies.lake.commits import APPLICATION_ID, Appender
from movies.lake.delta import content_version, open_table, read
from movies.lake.gold_tables import OVERVIEW, YEARS
from movies.lake.lake_errors import LakeAccessError
from movies.lake.publications import Publication, find_intact, publish
from movies.lake.table import Table
from movies.lake.tables import PUBLICATIONS, RAW_MOVIES, SILVER_MOVIES
from tests.movies.lake.small_lake import write
from tests.movies.lake.test_commits import ids, movies


def publish_row(table: Table, root: str, **row: object) -> None:
    """Replace a table's rows by one, and publish that."""
    version = write(table, root, row)
    publish(root, Publication(f"make {table.name}", {}, {table.name: version}, "code"))


def files(root: str) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in Path(root).rglob("*")
        if path.is_file()
    }


@pytest.fixture
def root(tmp_path) -> str:
    """A lake of three tables, with four versions of one of them."""
    root = str(tmp_path / "lake")
    appender = Appender(RAW_MOVIES, root, "sandbox")
    for batch, movie_id in enumerate((1, 2, 3)):
        appender.append(movies(movie_id), f"batch {batch}")
    publish_row(OVERVIEW, root, movies=3)
    return root


@pytest.fixture
def target(tmp_path) -> str:
    return str(tmp_path / "backups" / "today")


def test_a_copy_has_the_rows_ids_versions_and_counters_of_the_lake(root, target):
    copied = copy_lake(root, target)

    assert [(table.name, table.version, table.rows, table.files) for table in copied] == [
        ("raw/movies", 3, 3, 7),
        ("gold/overview", 1, 1, 3),
        ("meta/publications", 1, 1, 3),
    ]
    assert sum(table.size for table in copied) == sum(map(len, files(target).values()))
    for table in (RAW_MOVIES, OVERVIEW, PUBLICATIONS):
        before, after = open_table(table, root), open_table(table, target)
        assert content_version(after) == content_version(before)
        assert read(table, target).to_pylist() == read(table, root).to_pylist()
        assert after.history() == before.history()
    assert open_table(RAW_MOVIES, target).transaction_version(APPLICATION_ID) == 3
    assert find_intact(target, "make gold/overview") == find_intact(root, "make gold/overview") is not None


def test_a_run_goes_on_from_a_copy_where_the_lake_was(root, target):
    copy_lake(root, target)

    Appender(RAW_MOVIES, target, "sandbox").append(movies(4), "next")

    assert ids(target) == [1, 2, 3, 4]
    assert open_table(RAW_MOVIES, target).transaction_version(APPLICATION_ID) == 4
    assert ids(root) == [1, 2, 3], "the lake itself stays as it was"


def test_a_copy_brought_back_is_the_lake_again(root, target, tmp_path):
    copy_lake(root, target)
    there = files(target)
    again = f"file://{tmp_path}/again"

    assert copy_lake(target, again) == copy_lake(root, str(tmp_path / "directly"))

    assert files(str(tmp_path / "again")) == there == files(target)


def test_what_only_older_versions_are_made_of_is_left_out(root, target):
    publish_row(OVERVIEW, root, movies=4)
    open_table(RAW_MOVIES, root).optimize.compact()

    copied = {table.name: table for table in copy_lake(root, target)}

    assert len(list(Path(target, RAW_MOVIES.name).glob("*.parquet"))) == 1
    assert len(list(Path(target, OVERVIEW.name).glob("*.parquet"))) == 1
    assert (copied["raw/movies"].version, copied["raw/movies"].rows) == (4, 3)
    assert ids(target) == [1, 2, 3]
    # Compaction changed no row, and the copy knows that too.
    assert content_version(open_table(RAW_MOVIES, target)).version == 3


def test_a_copy_has_checkpoints_and_reads_from_them(root, target):
    open_table(RAW_MOVIES, root).create_checkpoint()
    Path(root, RAW_MOVIES.name, "_delta_log", f"{0:020}.json").unlink()

    copy_lake(root, target)

    log = {name for name in files(target) if name.startswith("raw/movies/_delta_log/")}
    assert log == {
        *(f"raw/movies/_delta_log/{version:020}.json" for version in (1, 2, 3)),
        f"raw/movies/_delta_log/{3:020}.checkpoint.parquet",
        "raw/movies/_delta_log/_last_checkpoint",
    }
    assert ids(target) == [1, 2, 3]


def test_what_is_committed_while_it_is_copied_is_not_in_the_copy(root, target, meanwhile):

    def commit() -> None:
        Appender(RAW_MOVIES, root, "sandbox").append(movies(4), "meanwhile")
        open_table(RAW_MOVIES, root).create_checkpoint()
        publish_row(OVERVIEW, root, movies=4)

    meanwhile(backup, "copy_file", commit)
    copy_lake(root, target)

    assert ids(target) == [1, 2, 3]
    assert read(OVERVIEW, target).column("movies").to_pylist() == [3]
    assert find_intact(target, "make gold/overview") is not None
    assert "raw/movies/_delta_log/_last_checkpoint" not in files(target)
    assert ids(root) == [1, 2, 3, 4]


@pytest.mark.parametrize("opened_first", [PUBLICATIONS, OVERVIEW], ids=lambda table: table.name)
def test_publications_speak_of_nothing_later_than_the_tables_of_the_copy(
    opened_first, root, target, monkeypatch
):
    open_table = backup.open_table

    def open_and_write(table, *arguments):
        found = open_table(table, *arguments)
        if table is opened_first:
            monkeypatch.undo()
            publish_row(OVERVIEW, root, movies=4)
        return found

    monkeypatch.setattr(backup, "open_table", open_and_write)
    copy_lake(root, target)

    named = json.loads(read(PUBLICATIONS, target).column("outputs")[0].as_py())
    assert named["gold/overview"]["version"] == 1
    if opened_first is PUBLICATIONS:
        # As after a crash between writing and publishing: the stage is done again.
        assert open_table(OVERVIEW, target).version() == 2
        assert find_intact(target, "make gold/overview") is None
    else:
        assert open_table(OVERVIEW, target).version() == 1
        assert find_intact(target, "make gold/overview") is not None


def test_what_a_table_is_made_from_is_in_the_copy(root, target, monkeypatch):
    open_table = backup.open_table

    def open_and_run(table, *arguments):
        found = open_table(table, *arguments)
        if table is SILVER_MOVIES:
            monkeypatch.undo()
            Appender(RAW_MOVIES, root, "sandbox").append(movies(4), "meanwhile")
            publish_row(SILVER_MOVIES, root, id=4)
        return found

    monkeypatch.setattr(backup, "open_table", open_and_run)
    copy_lake(root, target)

    assert ids(target) == [1, 2, 3, 4]
    assert open_table(SILVER_MOVIES, target) is None, (
        "a raw movie without silver is work to do; not so the reverse"
    )


@pytest.mark.parametrize("after", [0, 1, 4, 9, 11])
def test_a_copy_that_was_broken_off_is_known_as_one_and_finished_by_the_same_call(
    after, root, target, tmp_path, monkeypatch
):
    copied = []

    def copy_or_fail(source, target, path):
        if len(copied) >= after:
            raise OSError(28, "No space left on device")
        copied.append(path)
        return copy_file(source, target, path)

    with monkeypatch.context() as patch:
        patch.setattr(backup, "FILES_AT_ONCE", 1)
        patch.setattr(backup, "copy_file", copy_or_fail)
        with pytest.raises(LakeAccessError, match=r"cannot be copied to .*today.*No space left"):
            copy_lake(root, target)
    with pytest.raises(CopyRefusedError, match=r"today is an unfinished copy"):
        check_finished(target)
    with pytest.raises(CopyRefusedError, match=r"today is an unfinished copy"):
        copy_lake(target, str(tmp_path / "elsewhere"))
    assert not (tmp_path / "elsewhere").exists()

    Appender(RAW_MOVIES, root, "sandbox").append(movies(4), "between")
    finished = copy_lake(root, target)

    check_finished(target)
    assert finished == copy_lake(root, str(tmp_path / "at once"))
    assert files(target) == files(str(tmp_path / "at once"))


def test_a_copy_that_is_finished_later_copies_no_data_file_twice(root, target, monkeypatch):
    copied = []

    def copy_and_note(source, target, path):
        copied.append(path)
        if path.startswith("_delta_log"):
            raise OSError("the network is gone")
        return copy_file(source, target, path)

    monkeypatch.setattr(backup, "copy_file", copy_and_note)
    with pytest.raises(LakeAccessError):
        copy_lake(root, target)
    data = [path for path in copied if path.endswith(".parquet")]
    copied.clear()
    monkeypatch.undo()
    monkeypatch.setattr(backup, "copy_file", lambda *args: (copied.append(args[2]), copy_file(*args))[1])

    copy_lake(root, target)

    assert len(data) == 3
    assert not set(data) & set(copied)


def test_a_lake_is_not_copied_over_another(root, target, tmp_path):
    other = str(tmp_path / "other")
    publish_row(YEARS, other, movies=1)
    copy_lake(root, target)

    for place, name in ((target, "raw/movies"), (root, "raw/movies"), (other, "gold/years")):
        before = files(place)
        with pytest.raises(CopyRefusedError, match=f"There is a lake in {place} already, with {name}"):
            copy_lake(root, place)
        assert files(place) == before


def test_a_copy_begun_of_another_lake_is_not_finished_with_this_one(root, target, tmp_path, monkeypatch):
    other = str(tmp_path / "other")
    publish_row(OVERVIEW, other, movies=1)
    with monkeypatch.context() as patch:
        patch.setattr(backup, "copy_file", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            copy_lake(other, target)
    before = files(target)

    with pytest.raises(CopyRefusedError, match="A copy of another lake was begun in"):
        copy_lake(root, target)

    assert files(target) == before


def test_a_place_without_tables_is_no_lake(tmp_path, target):
    for place in (tmp_path / "nothing", tmp_path):
        with pytest.raises(CopyRefusedError, match=r"no tables in .*Name the lake to copy"):
            copy_lake(str(place), target)

    assert not Path(target).exists() and not (tmp_path / "nothing").exists()


def test_a_table_of_a_later_kind_than_is_known_is_not_copied(root, target):
    # A time without a zone needs another reader.
    rows = pa.table({"at": pa.array([0], pa.timestamp("us"))})
    write_deltalake(YEARS.path(root), rows)

    with pytest.raises(CopyRefusedError, match="gold/years has later features of Delta"):
        copy_lake(root, target)

    assert not Path(target).exists()


@pytest.mark.parametrize("intruder", [OVERVIEW, YEARS], ids=["into-a-copied-table", "into-one-of-its-own"])
def test_a_copy_that_something_else_wrote_to_is_no_copy(intruder, root, target, meanwhile):
    meanwhile(backup, "_check_copy", lambda: publish_row(intruder, target, movies=7))

    with pytest.raises(CopyBrokenError, match=rf"Something else has written to .*{intruder.name}"):
        copy_lake(root, target)
    with pytest.raises(CopyRefusedError):
        check_finished(target)


def test_a_file_that_is_gone_is_told_with_its_table(root, target):
    next(Path(root, RAW_MOVIES.name).glob("*.parquet")).unlink()

    with pytest.raises(CopyRefusedError, match=r"raw/movies has files that are missing or torn"):
        copy_lake(root, target)


def test_a_target_that_cannot_be_written_is_told(root, tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(LakeAccessError, match=r"file/target cannot be written: "):
        copy_lake(root, str(tmp_path / "file" / "target"))


@pytest.fixture
def run(root, monkeypatch):
    """Run a command of `movies` on the lake."""
    monkeypatch.setenv("LAKE_ROOT", root)
    return lambda *arguments: CliRunner().invoke(app, arguments)


def test_the_command_line_backs_up_and_restores(run, root, target, tmp_path):
    saved = run("backup", target)
    restored = run("restore", target, "--lake-root", str(tmp_path / "restored"))

    assert (saved.exit_code, restored.exit_code) == (0, 0), saved.output + restored.output
    [head, _, *tables, total, place] = saved.stdout.splitlines()
    assert head.split() == ["table", "rows", "version", "files", "kB"]
    assert [line.split()[:4] for line in tables] == [
        ["raw/movies", "3", "3", "7"],
        ["gold/overview", "1", "1", "3"],
        ["meta/publications", "1", "1", "3"],
    ]
    assert total.split()[:5] == ["3", "tables", "–", "–", "13"]  # noqa: RUF001
    assert place.startswith(f"Backup is in {target}, copied in ")
    assert restored.stdout.splitlines()[-1].startswith(f"Lake is in {tmp_path / 'restored'}, copied in ")
    assert files(str(tmp_path / "restored")) == files(target)


def test_the_command_line_says_in_one_sentence_what_stands_in_the_way(run, root, target, tmp_path):
    refused = run("backup", root)
    missing = run("restore", str(tmp_path / "nothing"), "--lake-root", target)

    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == (
        f"Error: There is a lake in {root} already, with raw/movies. Choose another place.\n"
    )
    assert (missing.exit_code, missing.stdout) == (1, "")
    assert missing.stderr == (
        f"Error: There are no tables in {tmp_path / 'nothing'}. Name the lake to copy.\n"
    )


def test_an_interrupted_backup_says_how_to_go_on(run, target, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.backup_command, "copy_lake", interrupt)

    said = run("backup", target)

    assert said.exit_code == 130
    assert said.stderr == f"Error: Interrupted. Run the same command again to finish the copy in {target}\n"
