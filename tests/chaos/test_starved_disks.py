"""Disks that are full or cannot be written, as the command line meets them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from movies.lake.lock import LOCK_FILE
from movies.lake.tables import FETCH_FAILURES
from tests.flows.test_faults import QUICK, ids

pytestmark = pytest.mark.chaos

FEW_BATCHES = QUICK | {"INGESTION_BATCH_SIZE": "20"}


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Mounts something on a folder until the test ends."""
    mounted: list[Path] = []

    def mount_on(folder: Path, *arguments: str) -> None:
        folder.mkdir(exist_ok=True)
        try:
            subprocess.run(["mount", *arguments, str(folder)], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"nothing can be mounted: {error}")
        mounted.append(folder)

    yield mount_on
    for folder in reversed(mounted):
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_ends_the_run_in_a_sentence_and_with_space_the_next_one_goes_on(mount, served):
    place, _ = served(synthetic=400, faults={"latency_ms": 1})
    lake = place.folder / "small"
    mount(lake, "-t", "tmpfs", "-o", "size=400k", "tmpfs")
    place.environment |= FEW_BATCHES | {"LAKE_ROOT": str(lake)}
    arguments = ("--stage", "ingest", "--movie-ids", ids(400))

    full = place.run(*arguments)

    assert full.returncode == 1
    assert "raw/movies cannot be written: " in full.stderr
    assert "No space left on device" in full.stderr
    assert "Traceback" not in full.stdout + full.stderr
    kept = place.movie_ids()
    assert 20 <= len(kept) == len(set(kept)) < 400

    subprocess.run(["mount", "-o", "remount,size=64m", str(lake)], check=True)
    place.succeed(*arguments)
    assert place.movie_ids() == list(range(1, 401))


def test_a_lake_that_cannot_be_written_is_said_and_stays_as_it_was(mount, served):
    place, sandbox = served(synthetic=60)
    place.environment |= QUICK
    place.succeed("--stage", "ingest", "--movie-ids", ids(40))
    lake = Path(place.lake)
    mount(lake, "--bind", str(lake))
    subprocess.run(["mount", "-o", "remount,bind,ro", str(lake)], check=True)
    sandbox.reset()

    refused = place.run("--stage", "ingest", "--movie-ids", ids(60))

    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert f"{lake} cannot be written: " in refused.stderr and "Read-only file system" in refused.stderr
    assert sandbox.stats()["requests"] == 0, "what cannot be kept is not asked for"
    assert place.movie_ids() == list(range(1, 41))

    subprocess.run(["mount", "-o", "remount,bind,rw", str(lake)], check=True)
    place.succeed("--stage", "ingest", "--movie-ids", ids(60))
    assert place.movie_ids() == list(range(1, 61))


def test_what_a_dead_run_left_in_the_lake_stops_nobody(served):
    place, _ = served(synthetic=40)
    left = Path(place.lake) / "raw" / "movies"
    (left / "_delta_log").mkdir(parents=True)
    (left.parents[1] / LOCK_FILE).write_text("4194305")
    (left / "_delta_log" / "00000000000000000000.json#1").write_text('{"commitInfo":{"timest')
    (left / "part-00000-c000.zstd.parquet#1").write_bytes(b"PAR1")

    said = place.succeed("--stage", "ingest", "--movie-ids", ids(40), **QUICK)

    assert "waits" not in said
    assert place.movie_ids() == list(range(1, 41))
    assert place.rows(FETCH_FAILURES, "movie_id") == []
