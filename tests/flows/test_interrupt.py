"""Signals end a run in time, whatever its threads do: small runs without Prefect, each in a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from flows.interrupt import END_SECONDS
from movies.tmdb.stop import GRACE_SECONDS

PROJECT_ROOT = Path(__file__).parents[2]
SECONDS = 30.0
LEFT = "what is committed stays, and the next run goes on from there"
DRAINING = "saving a checkpoint; a second signal stops at once"
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
from cli.run_command import guarded
from movies.settings import load_settings
from spark.engines.java import stderr_to

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

def start_java_for_ever():
    with stderr_to(Path(folder) / "spark.log"):
        work_for_ever()

async def start_java():
    await asyncio.to_thread(start_java_for_ever)

async def fetch(interrupts):
    with stop_on_signals(interrupts.draining) as stop:
        say("at work")
        await stop.wait(60)
        stop.reason.add_note("3 movies were fetched and are checkpointed, 4 are left")
        if hangs == "drains for ever":
            await asyncio.to_thread(threading.Event().wait)
    if hangs == "has drained":
        await asyncio.to_thread(threading.Event().wait)
    raise stop.reason

def convert():
    try:
        say("at work")
        threading.Event().wait()
    except BaseException as error:
        raise ValueError("as a library in Rust has it") from error

def act(terminal, interrupts):
    if stage == "convert":
        convert()
    stages = {"compute": compute, "java": start_java, "fetch": lambda: fetch(interrupts)}
    return interrupts.run(stages[stage])

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


@pytest.mark.parametrize(
    ("stage", "hangs"), [("compute", ""), ("java", ""), ("fetch", "has drained"), ("convert", "")]
)
@pytest.mark.parametrize(("number", "status", "word"), SIGNALS)
def test_one_signal_is_enough_if_a_thread_never_ends_or_a_library_makes_an_error_of_it(
    start, stage, hangs, number, status, word
):
    process = start(stage, hangs, end_seconds=0.1)

    process.send_signal(number)
    _, error = process.communicate(timeout=SECONDS)

    assert (process.returncode, error) == (status, f"Error: {word}: {LEFT}\n")


LOOKING = """
import cli.status, os, signal, time

def show_status(*_):
    try:
        os.kill(os.getpid(), signal.{number})
        time.sleep(60)
    except BaseException as error:
        raise {raised}

cli.status.show_status = show_status
from cli.app import main
main(["status"])
"""


@pytest.mark.parametrize("raised", ["", "ValueError('as a library has it') from error"])
@pytest.mark.parametrize(("number", "status", "word"), SIGNALS)
def test_a_command_that_only_looks_ends_on_a_signal_with_one_sentence(number, status, word, raised):
    script = LOOKING.format(number=number.name, raised=raised)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=SECONDS
    )

    assert (done.returncode, done.stdout, done.stderr) == (status, "", f"Error: {word}\n")


@pytest.mark.parametrize("command", [["-m", "cli", "status"], ["flows/main.py", "--dry-run"]])
@pytest.mark.parametrize(("number", "status", "word"), SIGNALS)
def test_a_signal_while_the_command_line_loads_ends_it_with_one_sentence(
    tmp_path, command, number, status, word
):
    library = f"import os, signal, time\nos.kill(os.getpid(), signal.{number.name})\ntime.sleep(60)\n"
    (tmp_path / "typer.py").write_text(library)
    done = subprocess.run(
        [sys.executable, *command],
        cwd=PROJECT_ROOT,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )

    assert (done.returncode, done.stdout, done.stderr) == (status, "", f"Error: {word}\n")


def test_a_run_drains_and_ends_within_the_ten_seconds_that_docker_stop_waits():
    assert GRACE_SECONDS + END_SECONDS <= 8, "the rest is for the commit"
