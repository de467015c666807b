"""Output goes through whatever encoding, width and pipe somebody has."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.app import app
from cli.streams import standard_output
from cli.terminal import Terminal
from movies.lake.tables import QUARANTINE, SILVER_MOVIES
from tests.movies.lake.small_lake import FETCH, MOVIES, make_lake, write
from tests.places import PROJECT_ROOT, clean_environment

HOSTILE = "=\x1b[2J :skull: [red]東\x9b31m\x7f"
PAYLOAD = '{"id": 95, "title": "東 \x7f\x9b31m"'


@pytest.fixture(scope="module")
def lake(tmp_path_factory) -> str:
    root = make_lake(str(tmp_path_factory.mktemp("lake")))
    write(SILVER_MOVIES, root, {**MOVIES[0], "title": HOSTILE})
    refusal = {"movie_id": 95, "reason": "bad_value", "detail": HOSTILE, "payload": PAYLOAD}
    write(QUARANTINE, root, refusal | FETCH)
    return root


@pytest.fixture
def call(monkeypatch, lake, tmp_path) -> Iterator[Callable[..., int]]:
    """Run a command in this process, with these streams, and return its exit status."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAKE_ROOT", lake)

    def run(*arguments: str, out: io.TextIOWrapper, err: io.TextIOWrapper | None = None) -> int:
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err or out)
        with pytest.raises(SystemExit) as ended:
            app(list(arguments), prog_name="movies")
        return int(ended.value.code or 0)

    yield run
    monkeypatch.undo()


def stream(encoding: str = "utf-8") -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True)


def written(out: io.TextIOWrapper) -> str:
    return out.buffer.getvalue().decode(out.encoding)  # type: ignore[attr-defined,no-any-return]


COMMANDS = [
    ["--help"],
    ["run", "--help"],
    ["show"],
    ["show", "silver.movies"],
    ["status"],
    ["quarantine", "list"],
    ["sql", "SELECT title FROM silver.movies", "--format", "table"],
    ["run", "--source", "a…b"],
]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_encoding_and_no_width_ends_a_command(command, encoding, call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "0")
    out = stream(encoding)

    assert call(*command, out=out) == (2 if command[-1] == "a…b" else 0)

    said = out.buffer.getvalue()  # type: ignore[attr-defined]
    assert b"Traceback" not in said
    assert len(max(said.splitlines(), key=len)) > 20


def test_tables_are_drawn_with_what_an_encoding_has(call):
    out = stream("ascii")
    call("show", out=out)
    assert written(out).splitlines()[2].startswith("---------------")


@pytest.mark.parametrize("width", ["", "-1", "0", "wide", "1e3"])
def test_a_width_that_is_none_counts_as_none(width, call, monkeypatch):
    said = []
    for columns in (width, None):
        if columns is None:
            monkeypatch.delenv("COLUMNS", raising=False)
        else:
            monkeypatch.setenv("COLUMNS", columns)
        out = stream()
        assert call("quarantine", "--help", out=out) == 0
        said.append(written(out))
    assert said[0] == said[1]


def test_texts_are_shown_as_they_are_but_for_control_characters(call):
    """No emoji, no markup, and nothing that commands the terminal."""
    out = stream()
    call("quarantine", "list", out=out)
    [line] = [line for line in written(out).splitlines() if " 95 " in line]
    assert line == "   95  bad_value  = [2J :skull: [red]東 31m  2026-06-01 00:00  b1"


def test_whoever_speaks_says_one_line_without_secrets(capsys):
    Terminal(("s3cr3t+key",)).fail("503 \x1b[2J\nError: none, with s3cr3t%2Bkey at http://me:pw@proxy")
    assert capsys.readouterr().err == r"Error: 503 \x1b[2J\nError: none, with *** at http://***@proxy" + "\n"


@pytest.mark.parametrize(
    ("command", "raw"),
    [
        (["sql", "SELECT title FROM silver.movies", "--format", "csv"], f'"title"\n"{HOSTILE}"\n'),
        (["quarantine", "show", "95"], f"{PAYLOAD}\n"),
    ],
    ids=["csv", "payload"],
)
def test_data_are_verbatim_in_a_pipe_and_escaped_on_a_terminal(command, raw, call, monkeypatch):
    out, err = stream(), stream()
    assert call(*command, out=out, err=err) == 0
    assert written(out) == raw

    out = stream()
    monkeypatch.setattr(out, "isatty", lambda: True, raising=False)
    assert call(*command, out=out, err=err) == 0
    assert written(out) == raw.replace("\x1b", r"\x1b").replace("\x9b", r"\x9b").replace("\x7f", r"\x7f")


def test_a_terminal_never_gets_half_a_character(monkeypatch):
    out = stream()
    monkeypatch.setattr(out, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stdout", out)
    with standard_output() as data:
        for byte in "東\x9b\n".encode():
            data.write(bytes([byte]))
    assert written(out) == "東\\x9b\n"


UNREAD = [*COMMANDS[:-1], ["--version"], ["status", "--json"], ["quarantine", "show", "95"]]
UNREAD += [["sql", "EXPLAIN SELECT 1", "--format", "table"], ["sql", "SELECT * FROM range(300000)"]]


@pytest.mark.parametrize("command", UNREAD, ids=" ".join)
def test_a_command_that_nobody_reads_to_the_end_has_done_its_work(command, call):
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w", encoding="utf-8") as out:  # noqa: PTH123
        err = stream()
        assert call(*command, out=out, err=err) == 0
        print("more", file=out, flush=True)  # as at the end of the process
    assert "Traceback" not in written(err)


def test_what_cannot_be_done_fails_also_where_nobody_reads(call):
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w", encoding="utf-8") as out:  # noqa: PTH123
        assert call("show", "nonsense", out=out) == 2


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-", "| head -1"])
def test_closed_streams_and_readers_that_leave_end_no_command(closed, lake, tmp_path):
    movies = f"{sys.executable} -m cli show"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {movies} {closed}"],
        cwd=tmp_path,
        env=clean_environment() | {"PYTHONPATH": str(PROJECT_ROOT), "LAKE_ROOT": lake},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (f"Lake at {lake}\n" if "head" in closed else "")
    assert [*Path(tmp_path).iterdir()] == []
