"""Signals end a run in time, whatever its threads do: small runs without Prefect, each in a process."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

PROJECT_ROOT = Path(__file__).parents[2]
SECONDS = 30.0
LEFT = "what is committed stays, and the next run goes on from there"
DRAINING = "what is in flight is being checkpointed; once more ends at once"
SIGNALS = [
    pytest.param(signal.SIGINT, 130, "Interrupted", id="ctrl-c"),
    pytest.param(signal.SIGTERM, 143, "Terminated", id="sigterm"),
]
# A run as `movies run` makes one, and as `movies forecast` does.
RUN = """
import asyncio, sys, threading
from pathlib import Path
import flows.interrupt
from flows.interrupt import stop_on_signals
from flows.run import guarded
from settings import load_settings

folder, stage, hangs, end_seconds = sys.argv[1:]
flows.interrupt.END_SECONDS = float(end_seconds)

def say(line):
    print(line, flush=True)

def work_for_ever():
    say("at work")
    threading.Event().wait()

async def compute():
    try:
        await asyncio.to_thread(work_for_ever)
    finally:
        say("cancelled")

async def fetch():
    with stop_on_signals() as stop:
        say("at work")
        await stop.wait(60)
        stop.reason.add_note("3 movies were fetched and are checkpointed, 4 are left")
        if hangs == "drains for ever":
            await asyncio.to_thread(threading.Event().wait)
    if hangs == "has drained":
        await asyncio.to_thread(threading.Event().wait)
    raise stop.reason

def act(terminal, interrupts):
    return interrupts.run({"compute": compute, "fetch": fetch}[stage])

sys.exit(guarded(load_settings(output_dir=Path(folder)), act))
"""


@pytest.fixture
def start(tmp_path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a run, and returns once it is at work."""
    with ExitStack() as stack:

        def start_run(stage: str, hangs: str = "", end_seconds: float = 600) -> subprocess.Popen[str]:
            process = subprocess.Popen(
                [sys.executable, "-c", RUN, str(tmp_path), stage, hangs, str(end_seconds)],
                cwd=PROJECT_ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            assert process.stdout is not None
            assert process.stdout.readline() == "at work\n"
            return process

        yield start_run


@pytest.mark.parametrize(("number", "status", "word"), SIGNALS)
def test_a_fetching_run_drains_and_says_how_far_it_came(start, number, status, word):
    process = start("fetch")

    process.send_signal(number)
    said, error = process.communicate(timeout=SECONDS)

    told = f"Error: {word}. 3 movies were fetched and are checkpointed, 4 are left\n"
    assert (process.returncode, said, error) == (status, f"{word}: {DRAINING}\n", told)


@pytest.mark.parametrize(("stage", "hangs"), [("compute", ""), ("fetch", "drains for ever")])
@pytest.mark.parametrize(("number", "status", "word"), SIGNALS)
def test_the_second_signal_ends_a_run_within_a_second_whatever_its_threads_do(
    start, stage, hangs, number, status, word
):
    process = start(stage, hangs)
    process.send_signal(number)
    assert process.stdout.readline() == {"compute": "cancelled\n", "fetch": f"{word}: {DRAINING}\n"}[stage]

    process.send_signal(number)
    began = time.monotonic()
    _, error = process.communicate(timeout=SECONDS)
    seconds = time.monotonic() - began

    assert (process.returncode, error, seconds < 1) == (status, f"Error: {word}: {LEFT}\n", True)


@pytest.mark.parametrize(("stage", "hangs"), [("compute", ""), ("fetch", "has drained")])
@pytest.mark.parametrize(("number", "status", "word"), SIGNALS[1:])
def test_one_signal_is_enough_where_a_thread_never_ends(start, stage, hangs, number, status, word):
    process = start(stage, hangs, end_seconds=0.1)

    process.send_signal(number)
    _, error = process.communicate(timeout=SECONDS)

    assert (process.returncode, error) == (status, f"Error: {word}: {LEFT}\n")


def test_a_command_that_only_looks_ends_on_sigterm_with_one_sentence():
    script = (
        "import flows.status, os, signal, time\n"
        "flows.status.show_status = lambda *_: (os.kill(os.getpid(), signal.SIGTERM), time.sleep(60))\n"
        "from flows.cli import main; main(['status'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=SECONDS
    )

    assert (done.returncode, done.stdout, done.stderr) == (143, "", "Error: Terminated\n")
