"""What only shows something or saves time never fails a run."""

from __future__ import annotations

import ast
import asyncio
import logging
import re
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import pytest
from httpx import HTTPStatusError, Request, Response

import tasks.fetch
from movies.tmdb.client import FetchStats
from tasks.fetch import await_records
from tasks.optional import optional
from tasks.progress import Progress

ROOT = Path(__file__).parents[2]


async def test_a_failure_is_logged_and_passed_over(caplog):
    @optional
    async def show_something(name: str) -> None:
        raise ConnectionError(f"no API for {name}")

    await show_something("this")

    assert caplog.messages == [
        "show_something failed, the run goes on without it: ConnectionError: no API for this"
    ]


def test_a_server_that_never_answers_is_waited_for_a_bounded_time(run_skipping, caplog):
    @optional
    async def show_something() -> None:
        await asyncio.Event().wait()

    run_skipping(show_something())

    assert caplog.messages == ["show_something failed, the run goes on without it: TimeoutError"]


async def test_a_cancellation_passes_through():
    @optional
    async def show_something() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await show_something()


def _is_optional(function: ast.AsyncFunctionDef) -> bool:
    return any(ast.unparse(decorator) == "optional" for decorator in function.decorator_list)


def test_every_artifact_is_made_by_a_function_that_is_optional():
    bare = []
    for path in [*(ROOT / "tasks").glob("*.py"), *(ROOT / "flows").glob("*.py")]:
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.AsyncFunctionDef) or _is_optional(function):
                continue
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            made = [call for call in calls if re.search("(?<!delete)_artifact$", ast.unparse(call.func))]
            bare += [f"{path.name}: {function.name}: {ast.unparse(call.func)}" for call in made]

    # The progress has a handler of its own: it is shown again and again.
    assert {name for name in bare if not name.startswith("progress.py")} == {
        "ingest.py: fetch_lacking: progress_artifact"
    }


@pytest.fixture
def records(monkeypatch):
    """Stands in for Prefect's API, which is asked for the finished tasks; gives the moments of asking."""
    asked: list[float] = []

    def use(answer):
        class Client:
            async def read_task_runs(self, **_: object) -> list[object]:
                asked.append(asyncio.get_running_loop().time())
                return answer()

        @asynccontextmanager
        async def get_client():
            yield Client()

        class FlowRun:
            id = str(uuid4())

        monkeypatch.setattr(tasks.fetch, "get_client", get_client)
        monkeypatch.setattr(tasks.fetch.runtime, "flow_run", FlowRun)
        return asked

    return use


def test_records_that_do_not_come_are_asked_for_now_and_then_and_not_for_long(records, run_skipping, caplog):
    asked = records(list)

    run_skipping(await_records(3))

    gaps = [round(later - earlier, 3) for earlier, later in pairwise(asked)]
    assert (len(asked), set(gaps), caplog.messages) == (20, {0.05}, [])


def test_an_api_that_refuses_to_tell_of_records_fails_no_run(records, run_skipping, caplog):
    def refuse():
        request = Request("POST", "http://127.0.0.1/api/task_runs/filter")
        raise HTTPStatusError("500 here", request=request, response=Response(500, request=request))

    records(refuse)

    run_skipping(await_records(3))

    assert caplog.messages == ["await_records failed, the run goes on without it: HTTPStatusError: 500 here"]


def test_a_terminal_that_is_gone_costs_a_warning_and_no_run(caplog):
    def draw(_: Progress) -> None:
        raise BrokenPipeError("no reader")

    progress = Progress(2, FetchStats(), draw)
    with caplog.at_level(logging.WARNING):
        progress.advance(failed=False)
        progress.advance(failed=False)

    assert (progress.done, caplog.messages) == (2, ["the progress is no longer shown: no reader"])
