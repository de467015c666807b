"""A lake of sandbox movies gives way to one of real movies."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from movies.lake.lock import ingestion_lock
from movies.lake.separation import separate_sandbox
from movies.lake.work_list import find_sources
from movies.settings import SANDBOX_SOURCE
from tests.movies.lake.test_work_list import Movie, commit

REAL = "https://api.themoviedb.org/3"


@pytest.fixture
def lakes(tmp_path) -> tuple[Path, Path]:
    return tmp_path / "lake", tmp_path / "sandbox"


def separate(real: Path, sandbox: Path) -> str | None:
    return asyncio.run(separate_sandbox(str(real), str(sandbox), SANDBOX_SOURCE))


@pytest.mark.parametrize("is_made", [False, True], ids=["nothing-there", "empty-folder-there"])
def test_a_lake_of_sandbox_movies_is_renamed_once_and_leaves_an_empty_folder(lakes, is_made):
    real, sandbox = lakes
    commit(str(real), [Movie(1)], [], source=SANDBOX_SOURCE)
    if is_made:
        sandbox.mkdir()

    said = f"{real} held movies of the sandbox. It was renamed to {sandbox}, and {real} is for real movies."
    assert separate(real, sandbox) == said
    assert (find_sources(str(sandbox)), list(real.iterdir())) == ({SANDBOX_SOURCE}, [])
    assert separate(real, sandbox) is None


@pytest.mark.parametrize("sources", [[REAL], [REAL, SANDBOX_SOURCE], []], ids=["real", "mixed", "none"])
def test_any_other_lake_stays(lakes, sources):
    real, sandbox = lakes
    for number, source in enumerate(sources):
        commit(str(real), [Movie(number)], [], source=source)

    assert separate(real, sandbox) is None
    assert (find_sources(str(real)), sandbox.exists()) == (set(sources), False)


def test_no_lake_is_renamed_over_another(lakes):
    for lake in lakes:
        commit(str(lake), [Movie(1)], [], source=SANDBOX_SOURCE)

    said = separate(*lakes)

    assert said == (
        f"{lakes[0]} holds movies of the sandbox, and so does {lakes[1]}. Delete one of them, "
        "or no real movies can be fetched."
    )
    assert [find_sources(str(lake)) for lake in lakes] == [{SANDBOX_SOURCE}] * 2


def test_a_sandbox_within_the_real_lake_and_lakes_in_a_store_are_left_alone(tmp_path):
    commit(str(tmp_path), [Movie(1)], [], source=SANDBOX_SOURCE)

    assert separate(tmp_path, tmp_path / "sandbox") is None
    assert asyncio.run(separate_sandbox("s3://bucket/lake", "s3://bucket/sandbox", SANDBOX_SOURCE)) is None


def test_a_lake_is_renamed_only_after_the_run_that_fetches_into_it(lakes):
    real, sandbox = lakes
    commit(str(real), [Movie(1)], [], source=SANDBOX_SOURCE)

    async def rename_during_a_run() -> tuple[bool, bool]:
        async with ingestion_lock(str(real)):
            renaming = asyncio.create_task(separate_sandbox(str(real), str(sandbox), SANDBOX_SOURCE))
            await asyncio.sleep(0)
            during = sandbox.exists()
        await renaming
        return during, sandbox.exists()

    assert asyncio.run(rename_during_a_run()) == (False, True)
