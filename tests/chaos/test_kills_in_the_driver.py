"""Ingestion is killed at every await and every file operation, and goes on from what it has committed."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from deltalake import DeltaTable

from movies.lake.tables import FETCH_FAILURES, RAW_MOVIES
from tests.chaos.conftest import ABSENT, Driver, assert_cursor_is_behind, assert_exact, count_refetched

pytestmark = pytest.mark.chaos

SEEDS = range(4)
KILLED = -9
# Three batches: with a movie that does not exist, with one that fails, and with another that does not exist.
FEW_MOVIES = [ABSENT[0], *range(1, 16), ABSENT[1]]
FEW = {"batch_size": 6}
# Every file operation, in so many parts that can run side by side.
PARTS = 4


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_at_any_await_the_next_run_completes_the_lake(seed, driver: Driver, tmp_path: Path):
    steps = driver.succeed(tmp_path / "clean")["steps"]
    stride = steps // 15
    dice = random.Random(seed)
    moments = [dice.randint(start, start + stride) for start in range(1, steps - stride, stride)]

    killed = 0
    for moment in moments:
        lake = tmp_path / str(moment)
        driver.sandbox.reset()
        killed += driver.run(lake, kill_at_step=moment)["status"] == KILLED
        assert_cursor_is_behind(driver, lake)
        driver.succeed(lake)
        assert_exact(driver, lake, runs=2)
        job = driver.job(lake)
        assert count_refetched(driver) <= job.open_batches * job.batch_size

    # Two runs differ by a few steps, since an answer may come in two pieces.
    assert killed >= len(moments) - 1


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_time_and_again_ingestion_loses_nothing_and_fetches_little_twice(
    seed, driver: Driver, tmp_path: Path
):
    dice = random.Random(seed)
    driver.sandbox.reset()

    killed = 0
    while (said := driver.run(tmp_path, kill_at_step=dice.randint(150, 450)))["status"] == KILLED:
        killed += 1
        assert killed < 40

    assert said["status"] == 0
    assert killed >= 2
    assert_exact(driver, tmp_path, runs=killed + 1)
    job = driver.job(tmp_path)
    assert count_refetched(driver) <= killed * job.open_batches * job.batch_size


def make_new(driver: Driver, lake: Path) -> None:
    """A lake that is not there."""


def make_checkpointing(driver: Driver, lake: Path) -> None:
    """A lake with some movies, whose tables write a checkpoint of their log at every second commit."""
    driver.movie_ids = FEW_MOVIES[:2]
    driver.succeed(lake, followed=1_000, **FEW)
    for table in (RAW_MOVIES, FETCH_FAILURES):
        found = DeltaTable(table.path(str(lake)))
        found.alter.set_table_properties({"delta.checkpointInterval": "2"})


@pytest.fixture(params=[make_new, make_checkpointing], ids=["new", "checkpointing"])
def make_lake(request, driver: Driver, tmp_path: Path, monkeypatch) -> Callable[[str], Path]:
    """Makes a lake as it is before the run that meets the fault; the driver then fetches few movies."""
    monkeypatch.setattr(driver, "movie_ids", driver.movie_ids)
    begun = tmp_path / "begun"
    request.param(driver, begun)
    driver.movie_ids = FEW_MOVIES

    def make(name: str) -> Path:
        lake = tmp_path / name
        if begun.exists():
            shutil.copytree(begun, lake)
        return lake

    return make


def test_the_library_sees_every_file_that_appears(make_lake, driver: Driver):
    lake = make_lake("clean")
    before = set(lake.rglob("*"))

    operations = driver.list_file_operations(lake, **FEW)

    seen = {operation.split(" ", 1)[1] for operation in operations}
    appeared = {str(path.relative_to(lake)) for path in lake.rglob("*") if path not in before}
    assert len(appeared) > 10
    assert appeared - seen == set()


@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_any_file_operation_the_next_run_completes_the_lake(
    part, make_lake, driver: Driver, tmp_path: Path
):
    operations = driver.list_file_operations(make_lake("clean"), **FEW)
    log = str(tmp_path / "file_operations.log")
    numbers = range(1 + part, len(operations) + 1, PARTS)

    for number in numbers:
        lake = make_lake(str(number))
        driver.sandbox.reset()
        died = driver.run(lake, file_operations=log, fault_at=number, **FEW)
        assert died == {"status": KILLED}, number
        assert_cursor_is_behind(driver, lake)
        driver.succeed(lake, **FEW)
        assert_exact(driver, lake, runs=3)
        job = driver.job(lake, **FEW)
        assert count_refetched(driver) <= job.open_batches * job.batch_size


def test_killed_in_the_middle_of_any_write_the_next_run_completes_the_lake(
    make_lake, driver: Driver, tmp_path: Path
):
    operations = driver.list_file_operations(make_lake("clean"), **FEW)
    writes = [number for number, line in enumerate(operations, start=1) if line.startswith("write ")]

    torn = set()
    for number in writes:
        lake, log = make_lake(str(number)), tmp_path / f"{number}.log"
        died = driver.run(lake, file_operations=str(log), fault_at=number, fault="tear", **FEW)
        if died["status"] == KILLED:
            torn.add(kind_of(log.read_text().splitlines()[-1]))
        driver.succeed(lake, **FEW)
        assert_exact(driver, lake, runs=3)

    # Two runs may come to their writes in another order.
    assert len(torn) >= len({kind_of(operations[number - 1]) for number in writes}) - 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [("full", "No space left on device"), ("fail", "Input/output error")],
    ids=["full", "failing"],
)
def test_a_disk_that_fails_at_any_file_operation_ends_the_run_in_a_sentence_and_costs_nothing(
    fault, said, make_lake, driver: Driver, tmp_path: Path
):
    operations = driver.list_file_operations(make_lake("clean"), **FEW)
    one_of_each_kind = {kind_of(line): number for number, line in enumerate(operations, start=1)}

    failed = 0
    for number in one_of_each_kind.values():
        lake, log = make_lake(str(number)), tmp_path / f"{number}.log"
        ended = driver.run(lake, file_operations=str(log), fault_at=number, fault=fault, **FEW)
        if ended["status"] == 0:
            # Or it would have gone on without what it had to write.
            assert is_dispensable(log.read_text().splitlines()[number - 1])
            assert_exact(driver, lake, runs=2)
        else:
            failed += 1
            assert ended["status"] == 1
            kind = "StorageRefusedError" if fault == "full" else "LakeAccessError"
            assert ended["error"].startswith(f"{kind}: {lake}")
            assert "cannot be written: " in ended["error"] and said in ended["error"]
        driver.succeed(lake, **FEW)
        assert_exact(driver, lake, runs=3)

    assert failed >= 12


def kind_of(operation: str) -> str:
    """What an operation does to what kind of file, of whichever commit."""
    return re.sub(r"\d+-[-0-9a-f]+-c|\d{20}", "N", operation.split("/raw/")[-1])


def is_dispensable(operation: str) -> bool:
    """Whether a commit is whole without it: a folder that is there, a file left over, a checkpoint of it."""
    return operation.startswith(("mkdir ", "unlink ")) or "checkpoint" in operation
