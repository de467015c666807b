from datetime import UTC, datetime, timedelta

from deltalake import DeltaTable

from movies.lake.cursor import Cursor, mark_begun, move_cursor, read_cursor
from movies.lake.delta import content_version, open_table
from movies.lake.tables import RAW_MOVIES
from movies.lake.upkeep import maintain
from tests.movies.lake.rows import Movie
from tests.movies.lake.test_work_list import commit

BEGUN = datetime(2026, 6, 1, 8, 30, tzinfo=UTC)


def begin(root: str, movie_id: int = 1) -> None:
    """Commit a movie in a run that follows changes."""
    commit(root, [Movie(movie_id)], marks=[mark_begun(BEGUN)])


def test_a_lake_that_never_followed_changes_has_no_cursor(root):
    assert read_cursor(root) == Cursor()


def test_a_walk_that_is_broken_off_is_known_to_have_begun_and_not_to_have_ended(root):
    begin(root)

    assert read_cursor(root) == Cursor(followed=None, begun=BEGUN)
    assert read_cursor(root).broken_off == BEGUN


def test_a_walk_that_came_to_its_end_is_not_broken_off_though_it_has_not_followed_all(root):
    begin(root)

    move_cursor(root, BEGUN - timedelta(hours=8))

    assert read_cursor(root).broken_off is None


def test_the_cursor_moves_without_a_change_of_content(root):
    begin(root)
    before = content_version(open_table(RAW_MOVIES, root))

    move_cursor(root, BEGUN)

    assert read_cursor(root) == Cursor(BEGUN, BEGUN)
    assert read_cursor(root).broken_off is None
    assert content_version(open_table(RAW_MOVIES, root)) == before


def test_the_cursor_moves_though_another_commit_comes_in_between(root, monkeypatch):
    begin(root)
    seen = open_table(RAW_MOVIES, root)
    DeltaTable(RAW_MOVIES.path(root)).delete("movie_id = 1")
    monkeypatch.setattr("movies.lake.cursor.create", lambda *_: seen)

    move_cursor(root, BEGUN)

    assert read_cursor(root) == Cursor(BEGUN, BEGUN)


def test_the_cursor_outlives_checkpoints_of_the_log_compaction_and_vacuum(root):
    for movie_id in range(3):
        begin(root, movie_id)
    move_cursor(root, BEGUN)

    maintain(RAW_MOVIES, root, timedelta(0))
    table = DeltaTable(RAW_MOVIES.path(root))
    table.cleanup_metadata()

    assert read_cursor(root) == Cursor(BEGUN, BEGUN)


def test_a_cursor_of_a_lake_without_movies_makes_the_table(root):
    move_cursor(root, BEGUN)

    assert read_cursor(root) == Cursor(BEGUN, BEGUN)
    assert open_table(RAW_MOVIES, root).to_pyarrow_table().num_rows == 0
