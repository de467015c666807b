"""Whatever a command raises ends in one sentence and an exit status."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli.forecast_command
import cli.run_command
import cli.status
from cli.app import app
from flows.failure import explained, is_temporary
from movies.lake.lake_errors import LakeAccessError, MixedSourcesError
from movies.settings import SettingsError, load_settings
from tests.places import clean_environment


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (LakeAccessError("data cannot be read"), 1, "Error: data cannot be read\n"),
        (SettingsError("LAKE_ROOT: no"), 2, "Error: LAKE_ROOT: no\n"),
        (KeyboardInterrupt(), 130, "Error: Interrupted\n"),
    ],
    ids=["ours", "usage", "interrupt"],
)
def test_an_error_is_one_sentence_with_its_status(error, status, said, monkeypatch):
    def fail(*_):
        raise error

    monkeypatch.setattr(cli.status, "show_status", fail)

    done = CliRunner().invoke(app, ["status"])

    assert (done.exit_code, done.stdout, done.stderr) == (status, "", said)


def test_what_nobody_foresaw_is_one_sentence_and_its_trace_is_in_the_log(tmp_path, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("a division\nby zero")

    monkeypatch.setattr(cli.status, "show_status", fail)
    monkeypatch.setenv("OUTPUT_DIR", str(tmp_path))

    done = CliRunner().invoke(app, ["status"])

    log = tmp_path / "logs" / "project.log"
    said = f"Error: ZeroDivisionError: a division (the stack trace is in {log})\n"
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", said)
    assert "in fail\n    raise ZeroDivisionError" in log.read_text()


@pytest.mark.parametrize(
    ("command", "missing", "said"),
    [
        (
            ["run"],
            "pyspark",
            "The stage transform needs the package pyspark, which is not installed here. Add --stage ingest "
            "to fetch only, or use the image tmdb-movies-spark.",
        ),
        (
            ["run", "--stage", "report"],
            "seaborn",
            "The stage report needs the package seaborn, which is not installed here. Add --stage ingest to "
            "fetch only, or use the image tmdb-movies-spark.",
        ),
        (
            ["forecast"],
            "sklearn",
            "A forecast needs the package scikit-learn, which is not installed here. Use the image "
            "tmdb-movies-forecast.",
        ),
    ],
)
def test_what_is_not_installed_is_told_before_anything_is_written(
    command, missing, said, tmp_path, monkeypatch
):
    for module in (cli.run_command, cli.forecast_command):
        monkeypatch.setattr(module, "find_spec", lambda name: None if name == missing else object())
    monkeypatch.chdir(tmp_path)

    done = CliRunner().invoke(app, command)

    assert (done.exit_code, done.stdout, done.stderr) == (2, "", f"Error: {said}\n")
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_has_had_enough_is_no_error(tmp_path):
    # 300 kB: more than a pipe holds.
    script = (
        "import cli.status, typer\n"
        "cli.status.show_status = lambda *_: typer.echo('x' * 300_000)\n"
        "from cli.app import main; main(['status'])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[2],
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.read(1)
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()

    assert (process.wait(60), said) == (0, b"")


FULL = "No space left on device. Free space on its disk, or choose another folder"
READ_ONLY = "Read-only file system. Mount it so that it can be written, or choose another folder"
DENIED = "Permission denied. Let this user read and write it, or choose another folder"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        pytest.param(
            OSError(errno.EROFS, "Read-only file system", "/data/output/report.txt"),
            f"/data/output cannot be used: {READ_ONLY}",
            id="python",
        ),
        pytest.param(
            PermissionError(errno.EACCES, "Permission denied", "/data/output/report.txt"),
            f"/data/output cannot be used: {DENIED}",
            id="permission",
        ),
        pytest.param(
            Exception("Generic LocalFileSystem error: Unable to open file /data/t/a#1: Gone (os error 30)"),
            f"/data/t cannot be used: {READ_ONLY}",
            id="delta-rs",
        ),
        pytest.param(
            Exception("Could not create local directory: /data/t/b\nError: Os { code: 30, kind: Other }"),
            f"/data/t cannot be used: {READ_ONLY}",
            id="rust",
        ),
    ],
)
def test_a_folder_that_refuses_is_named_with_what_to_do(error, sentence) -> None:
    found = explained(error)

    assert (str(found), found.__cause__) == (sentence, error)


@pytest.mark.parametrize(
    "text", ["[Errno 28] Writing failed. Detail: [errno 28] No space", "full (os error 28)"]
)
def test_a_full_disk_that_no_error_names_is_looked_for_among_the_folders_of_the_run(
    text, tmp_path, monkeypatch
) -> None:
    monkeypatch.setenv("LAKE_ROOT", str(tmp_path / "lake"))
    monkeypatch.setenv("OUTPUT_DIR", str(tmp_path / "output"))
    (tmp_path / "output").mkdir()
    usage = shutil.disk_usage(tmp_path)
    full = usage._replace(free=0)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: full if path.name == "output" else usage)

    found = explained(Exception(text), load_settings())
    assert str(found) == f"{tmp_path / 'output'} cannot be used: {FULL}"


def test_a_file_with_the_wrong_permissions_is_named_itself(tmp_path) -> None:
    program = tmp_path / "java"
    program.touch()

    found = explained(PermissionError(errno.EACCES, "Permission denied", str(program)))

    assert str(found) == f"{program} cannot be used: Permission denied. Change its permissions"


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(FileNotFoundError(errno.ENOENT, "No such file", "/data/x"), id="another-reason"),
        pytest.param(PermissionError(errno.EACCES, "Permission denied"), id="no-folder"),
        pytest.param(Exception("status code: 13"), id="another-number"),
        pytest.param(LakeAccessError("raw/movies cannot be read: (os error 28)"), id="own"),
    ],
)
def test_any_other_error_stays_as_it_is(error) -> None:
    assert explained(error) is error


@pytest.mark.parametrize(
    ("error", "may_help"),
    [
        pytest.param(MixedSourcesError("movies from sandbox"), False, id="mixed-sources"),
        pytest.param(LakeAccessError("raw/movies cannot be read"), True, id="store-away"),
        pytest.param(ValueError("not foreseen"), True, id="unknown"),
    ],
)
def test_another_try_is_for_errors_that_it_may_mend(error, may_help) -> None:
    assert is_temporary(error) is may_help
