import asyncio

import pytest

import movies.lake.commits
from movies.lake.checkpoints import Committer
from movies.lake.delta import read
from movies.lake.lake_errors import LakeAccessError, StorageRefusedError
from movies.lake.tables import FETCH_FAILURES, RAW_MOVIES
from tests.movies.lake.rows import Failure, Movie


def rows(table, root: str) -> list[tuple[int, str]]:
    return sorted((row["movie_id"], row["batch_id"]) for row in read(table, root).to_pylist())


async def test_parts_of_a_batch_share_one_commit_and_each_waits_for_it(tmp_path):
    root = str(tmp_path)
    committer = Committer(root, source="sandbox", run_id="run")
    batch = committer.open_batch(parts=3)

    first = asyncio.create_task(committer.hand_in(batch, [Movie(1)], []))
    second = asyncio.create_task(committer.hand_in(batch, [Movie(2)], [Failure(9, "not_found")]))
    await asyncio.sleep(0)
    assert not first.done() and not second.done()
    await committer.hand_in(batch, [Movie(3)], [])
    await asyncio.gather(first, second)

    assert committer.commits == 1
    assert rows(RAW_MOVIES, root) == [(1, "run-000001"), (2, "run-000001"), (3, "run-000001")]
    assert rows(FETCH_FAILURES, root) == [(9, "run-000001")]


async def test_batches_that_end_together_are_committed_one_after_the_other(tmp_path):
    root = str(tmp_path)
    committer = Committer(root, source="sandbox", run_id="run")

    await asyncio.gather(*(committer.hand_in(committer.open_batch(1), [Movie(n)], []) for n in range(8)))

    assert committer.commits == 8
    assert [movie_id for movie_id, _ in rows(RAW_MOVIES, root)] == list(range(8))


async def test_a_batch_with_nothing_in_it_is_no_commit(tmp_path):
    committer = Committer(str(tmp_path), source="sandbox", run_id="run")

    await committer.hand_in(committer.open_batch(1), [], [])

    assert committer.commits == 0


async def test_every_part_learns_that_its_batch_was_not_committed(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    committer = Committer(str(tmp_path), source="sandbox", run_id="run")
    batch = committer.open_batch(parts=2)
    monkeypatch.setattr(movies.lake.commits, "write_deltalake", fail)

    results = await asyncio.gather(
        committer.hand_in(batch, [Movie(1)], []),
        committer.hand_in(batch, [Movie(2)], []),
        return_exceptions=True,
    )

    assert [type(result) for result in results] == [StorageRefusedError, StorageRefusedError]
    with pytest.raises(LakeAccessError, match="No space left on device"):
        raise results[0]
