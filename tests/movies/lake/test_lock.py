import asyncio
import logging
import os
import signal
import subprocess
import sys
import time

import pytest

from movies.lake.lake_errors import LakeAccessError
from movies.lake.lock import LOCK_FILE, ingestion_lock

HOLDER = """
import asyncio, sys
from movies.lake.lock import ingestion_lock

async def hold():
    async with ingestion_lock(sys.argv[1]):
        print("held", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)

asyncio.run(hold())
"""


def hold_elsewhere(root: str) -> subprocess.Popen[str]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, root],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert holder.stdout.readline() == "held\n"
    return holder


async def test_a_run_waits_for_the_one_that_holds_the_lake_and_says_so(tmp_path, caplog):
    order = []
    held = asyncio.Event()

    async def first() -> None:
        async with ingestion_lock(str(tmp_path)):
            held.set()
            while "This one waits" not in caplog.text:
                await asyncio.sleep(0)
            order.append("first ends")

    async def second() -> None:
        await held.wait()
        async with ingestion_lock(str(tmp_path)):
            order.append("second begins")

    with caplog.at_level(logging.WARNING):
        await asyncio.gather(first(), second())

    assert order == ["first ends", "second begins"]


async def test_the_lock_of_a_killed_run_is_free_at_once(tmp_path):
    holder = hold_elsewhere(str(tmp_path))
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    assert (tmp_path / LOCK_FILE).exists()

    began = time.monotonic()
    async with ingestion_lock(str(tmp_path)):
        assert time.monotonic() - began < 1


async def test_processes_exclude_each_other(tmp_path):
    holder = hold_elsewhere(str(tmp_path))
    waiting = asyncio.create_task(asyncio.wait_for(_enter(str(tmp_path)), 30))
    await asyncio.sleep(0)
    assert not waiting.done()

    holder.communicate("\n")
    await waiting


async def _enter(root: str) -> None:
    async with ingestion_lock(root):
        pass


async def test_a_lake_in_an_object_store_has_no_lock():
    async with ingestion_lock("s3://bucket/lake"), ingestion_lock("s3://bucket/lake"):
        pass


async def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "lake").write_text("a file")

    with pytest.raises(LakeAccessError, match="lake cannot be written"):
        async with ingestion_lock(str(tmp_path / "lake")):
            pass
