"""What no command can use is refused in one sentence with status 2, before anything is fetched or written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import cli.forecast_command
import cli.run_command
from cli.app import app

NO_PATH = "this is not a path. Give the path of a file or a folder"
NO_HOME = "there is no home folder for ~nosuchuser. Give the whole path"
NO_FOLDER = "this is a file. Give the path of a folder"
NO_LAKE = "give a URL like s3://bucket/movies, without a user, a password, a query or a fragment"


@pytest.fixture
def invoke(monkeypatch, no_settings) -> Callable[..., Result]:
    """Run a command in a folder of its own, with a file in it; anything that got as far as a flow fails."""
    monkeypatch.setenv("COLUMNS", "500")
    monkeypatch.setenv("PREFECT_HOME", str(no_settings / "prefect"))
    Path("file").write_text("1")

    def start() -> None:
        pytest.fail("a flow was about to run")

    monkeypatch.setattr(cli.run_command, "start_local_api", start)
    monkeypatch.setattr(cli.forecast_command, "start_local_api", start)

    def run(*arguments: str, **environment: str) -> Result:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return CliRunner().invoke(app, arguments, input="")

    return run


def sentence(done: Result) -> str:
    """What was said, without the frame that usage errors have."""
    assert (done.exit_code, done.stdout) == (2, ""), done.output
    said = done.stderr.replace("│", " ")
    return " ".join(said.rpartition("Error ─")[2].strip("─╮╯╰ \n").split()).removeprefix("Error: ")


def assert_nothing_written() -> None:
    assert [path.name for path in Path.cwd().iterdir()] == ["file"]


# Each command with a place for a folder of tables, `?`.
LAKES = [
    "run --lake-root ?",
    "run --dry-run --lake-root ?",
    "run --stage report --lake-root ?",
    "forecast --lake-root ?",
    "status --lake-root ?",
    "show --lake-root ?",
    "show silver.movies --lake-root ?",
    "sql SELECT --lake-root ?",
    "quarantine list --lake-root ?",
    "quarantine show 95 --lake-root ?",
    "quarantine replay --lake-root ?",
    "backup copy --lake-root ?",
    "restore copy --lake-root ?",
    "backup ?",
    "restore ?",
]
ODD_FOLDERS = {"": NO_PATH, "  ": NO_PATH, "a\0b": NO_PATH, "~nosuchuser/x": NO_HOME, "file": NO_FOLDER}
ODD_LAKES = ODD_FOLDERS | dict.fromkeys(
    ["s3://", "s3://me:PASS@bucket/x", "s3://:PASS@bucket/x", "s3://bucket/x?sig=PASS", "s3://bucket#PASS"],
    NO_LAKE,
)


def filled(command: str, value: str) -> list[str]:
    return [value if word == "?" else word for word in command.split()]


@pytest.mark.parametrize(
    ("command", "value"),
    [*((command, "~nosuchuser/x") for command in LAKES), *((LAKES[4], value) for value in ODD_LAKES)],
)
def test_a_place_that_no_lake_can_be_in_is_refused(command, value, invoke):
    name = "The place of a copy" if command.startswith(("backup", "restore")) else "LAKE_ROOT"
    assert sentence(invoke(*filled(command, value))) == f"{name}: {ODD_LAKES[value]}"
    assert_nothing_written()


@pytest.mark.parametrize(
    ("command", "value"),
    [
        *(("run --output-dir ?", value) for value in [*ODD_FOLDERS, "s3://bucket/output"]),
        ("run --stage report --output-dir ?", ""),
        ("forecast --output-dir ?", ""),
        ("quarantine replay --output-dir ?", ""),
    ],
)
def test_a_folder_that_no_output_can_be_in_is_refused(command, value, invoke):
    assert sentence(invoke(*filled(command, value))) == f"OUTPUT_DIR: {ODD_FOLDERS.get(value, NO_PATH)}"
    assert_nothing_written()


@pytest.mark.parametrize(
    ("command", "value"),
    [
        *(
            ("sql SELECT --output ?", value)
            for value in ["", "  ", "~nosuchuser/x", "s3://:PASS@b/x", "a\0b"]
        ),
        ("sql --file ?", ""),
        ("run --movie-ids-file ?", "~nosuchuser/x"),
    ],
)
def test_a_file_that_cannot_be_is_refused(command, value, invoke):
    said = sentence(invoke(*filled(command, value)))
    assert said == f"Invalid value for '{command.split()[-2]}': {ODD_FOLDERS.get(value, NO_PATH)}"
    assert_nothing_written()


@pytest.mark.parametrize("value", [".", "file/below", "nowhere/below"])
def test_rows_cannot_go_where_no_file_can_be(value, invoke):
    said = sentence(invoke("sql", "SELECT 1", "--output", value))
    assert said in (
        ". is a folder. Give --output the name of a file",
        "file/below cannot be written: Not a directory",
        "nowhere/below cannot be written: No such file or directory",
    )
    assert value in said or value == "."
    assert_nothing_written()


TOO_LARGE = str(2**63)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-1", "0", "1e400", "x", ""])
def test_minutes_are_a_number_of_minutes(value, invoke):
    said = sentence(invoke("run", f"--max-minutes={value}"))
    assert said in (
        "Invalid value for '--max-minutes': Input should be greater than 0",
        "Invalid value for '--max-minutes': Input should be a finite number",
        "Invalid value for '--max-minutes': Input should be a valid number, "
        "unable to parse string as a number",
    )
    assert_nothing_written()


@pytest.mark.parametrize("value", ["nan", TOO_LARGE])
@pytest.mark.parametrize(
    "command",
    [
        "run --as-of-version=",
        "forecast --movie=",
        "forecast --holdout-years=",
        "sql SELECT --limit=",
        "show silver.movies --rows=",
        "show silver.movies --version=",
        "quarantine list --limit=",
        "quarantine show -- ",
        "quarantine replay -- ",
    ],
)
def test_a_number_that_no_table_can_have_is_refused(command, value, invoke, lake):
    words = command.split()
    words = [*words, value] if words[-1] == "--" else [*words[:-1], f"{words[-1]}{value}"]
    assert "Invalid value for" in sentence(invoke(*words, LAKE_ROOT=lake))
    assert_nothing_written()


@pytest.mark.parametrize("value", ["nan", "inf", "-1", ""])
def test_a_filter_that_is_no_figure_is_refused(value, invoke):
    said = sentence(invoke("run", "--source", "export", "--filter", f"min_popularity={value}"))
    assert said.startswith("The filter min_popularity of the source export: Input should be ")


@pytest.mark.parametrize("value", ["nan", "inf"])
@pytest.mark.parametrize("name", ["INGESTION_REQUESTS_PER_SECOND", "INGESTION_MAX_AGE_DAYS"])
def test_a_setting_that_is_no_figure_is_refused(name, value, invoke):
    assert sentence(invoke("status", **{name: value})).startswith(f"{name}: Input should be ")


@pytest.mark.parametrize("ids", ["--movie-ids=18", "--movie-ids-file=file", "--dry-run", "--stage=kpis"])
def test_a_check_that_does_not_exist_is_refused_before_anything_is_fetched(ids, invoke):
    done = invoke("run", ids, "--accept", "nonsense", "--accept", "few\x1b[2J")
    assert sentence(done) == (
        r"There is no data quality check called few\x1b[2J, nonsense. docs/data-quality.md lists all"
    )
    assert_nothing_written()
