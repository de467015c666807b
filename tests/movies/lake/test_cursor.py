import asyncio
from datetime import UTC, datetime, timedelta

from deltalake import DeltaTable

from movies.lake.checkpoints import Committer
from movies.lake.cursor import Cursor, mark_begun, move_cursor, read_cursor
from movies.lake.delta import content_version, open_table
from movies.lake.tables import RAW_MOVIES
from movies.lake.upkeep import maintain
from tests.movies.lake.rows import Movie

BEGUN = datetime(2026, 6, 1, 8, 30, tzinfo=UTC)


def commit(root: str, *movie_ids: int) -> None:
    async def run() -> None:
        committer = Committer(root, source="sandbox", run_id="run", marks=[mark_begun(BEGUN)])
        await committer.hand_in(committer.open_batch(1), [Movie(movie_id) for movie_id in movie_ids], [])

    asyncio.run(run())


def test_a_lake_that_never_followed_changes_has_no_cursor(root):
    assert read_cursor(root) == Cursor()


def test_a_walk_that_is_broken_off_is_known_to_have_begun_and_not_to_have_ended(root):
    commit(root, 1)

    assert read_cursor(root) == Cursor(followed=None, begun=BEGUN)
    assert read_cursor(root).broken_off == BEGUN


def test_a_walk_that_came_to_its_end_is_not_broken_off_though_it_has_not_followed_all(root):
    commit(root, 1)

    move_cursor(root, BEGUN - timedelta(hours=8))

    assert read_cursor(root).broken_off is None


def test_the_cursor_moves_without_a_change_of_content(root):
    commit(root, 1)
    before = content_version(open_table(RAW_MOVIES, root))

    move_cursor(root, BEGUN)

    assert read_cursor(root) == Cursor(BEGUN, BEGUN)
    assert read_cursor(root).broken_off is None
    assert content_version(open_table(RAW_MOVIES, root)) == before


def test_the_cursor_moves_though_another_commit_comes_in_between(root, monkeypatch):
    commit(root, 1)
    seen = open_table(RAW_MOVIES, root)
    DeltaTable(RAW_MOVIES.path(root)).delete("movie_id = 1")
    monkeypatch.setattr("movies.lake.cursor.create", lambda *_: seen)

    move_cursor(root, BEGUN)

    assert read_cursor(root) == Cursor(BEGUN, BEGUN)


def test_the_cursor_outlives_checkpoints_of_the_log_compaction_and_vacuum(root):
    for movie_id in range(3):
        commit(root, movie_id)
    move_cursor(root, BEGUN)

    maintain(RAW_MOVIES, root, timedelta(0))
    table = DeltaTable(RAW_MOVIES.path(root))
    table.cleanup_metadata()

    assert read_cursor(root) == Cursor(BEGUN, BEGUN)


def test_a_cursor_of_a_lake_without_movies_makes_the_table(root):
    move_cursor(root, BEGUN)

    assert read_cursor(root) == Cursor(BEGUN, BEGUN)
    assert open_table(RAW_MOVIES, root).to_pyarrow_table().num_rows == 0
