"""What a worker says of jobs, without Docker; tests/docker has jobs."""

from __future__ import annotations

import os
import sys

import pytest
from prefect.workers.base import BaseWorker
from typer.testing import CliRunner

from cli.app import app
from deployments.worker import Ended, JobWorker


@pytest.mark.parametrize(
    ("ended", "sentence"),
    [
        (Ended(137, True, 512 * 2**20), "ran out of memory of 512 MB. Raise the job variable mem_limit."),
        (Ended(1, True), "ran out of memory. Raise the job variable mem_limit."),
        (Ended(137), "was ended by SIGKILL."),
        (Ended(143), "was ended by SIGTERM."),
        (Ended(255), "ended with status 255 before the run did."),
        (Ended(1), "ended with status 1 before the run did."),
        (Ended(0), "ended before the run did."),
        (Ended(None), "was removed before the run ended."),
    ],
)
def test_a_job_is_out_of_memory_only_if_docker_says_so(ended: Ended, sentence: str) -> None:
    assert ended.sentence == f"Its container {sentence}"


def test_prefects_command_finds_this_worker_for_docker_pools() -> None:
    assert BaseWorker.get_worker_class_from_type("docker") is JobWorker


def test_the_command_hands_options_to_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(os, "execv", lambda path, arguments: started.append((path, arguments)))

    done = CliRunner().invoke(app, ["worker", "--limit", "2", "--with-healthcheck"])

    command = [sys.executable, "-m", "deployments.worker", "--limit", "2", "--with-healthcheck"]
    assert (done.exit_code, started) == (0, [(sys.executable, command)])
