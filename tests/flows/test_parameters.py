"""Parameters that cannot be meant are refused before anything happens, whichever way they come."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId
from prefect.exceptions import SignatureMismatchError
from typer.testing import CliRunner

import cli.run_command
from cli import replay
from cli.app import app
from flows.analytics import refresh_analytics
from flows.checked import CheckedFlow, flow
from flows.forecast import forecast_revenue
from flows.ingest import ingest_movies
from flows.maintain import maintain_lake
from flows.parameters import ParameterError
from flows.pipeline import movie_pipeline
from flows.request import MaintainRequest, RunRequest
from spark.spark_errors import EngineUnavailable, UnknownCheckError
from stages.names import StageName
from tests.places import PROJECT_ROOT

REFUSED: list[tuple[dict[str, Any], list[str], str]] = [
    (
        {"movie_ids": [603], "source": "export"},
        ["--movie-ids=603", "--source=export"],
        "Movie ids are for the source ids, not for export. Leave out the ids or the source",
    ),
    (
        {"movie_ids_file": "ids.txt", "source": "changes"},
        ["--movie-ids-file=ids.txt", "--source=changes"],
        "Movie ids are for the source ids, not for changes. Leave out the ids or the source",
    ),
    (
        {"movie_ids": [603], "movie_ids_file": "ids.txt"},
        ["--movie-ids=603", "--movie-ids-file=ids.txt"],
        "Give movie ids or a file of them, not both",
    ),
    (
        {"filters": {"min_popularity": "5"}},
        ["--filter=min_popularity=5"],
        "The source ids takes no filters. Leave out 'min_popularity'",
    ),
    (
        {"filters": {"movie_ids": "603"}},
        ["--filter=movie_ids=603"],
        "The source ids takes no filters. Leave out 'movie_ids'",
    ),
    (
        {"source": "export", "filters": {"popularity": "5"}},
        ["--source=export", "--filter=popularity=5"],
        "The source export has no filter 'popularity'. Choose one of min_popularity, include_adult, "
        "include_video",
    ),
    (
        {"as_of_version": 1, "stages": ["ingest"]},
        ["--as-of-version=1", "--stage=ingest"],
        "A report as of a version has only the stage report. Leave out other stages",
    ),
    (
        {"as_of_version": 1, "refresh": True},
        ["--as-of-version=1", "--refresh"],
        "A report as of a version fetches and changes nothing: leave out refresh",
    ),
    (
        {"as_of_version": 0, "movie_ids": [603]},
        ["--as-of-version=0", "--movie-ids=603"],
        "A report as of a version fetches and changes nothing: leave out movie_ids",
    ),
    (
        {"stages": ["report"], "source": "export"},
        ["--stage=report", "--source=export"],
        "source is for the stage ingest, which this run leaves out",
    ),
    (
        {"stages": ["ingest", "transform"], "accept_checks": ["unique_ids"]},
        ["--stage=ingest", "--stage=transform", "--accept=unique_ids"],
        "accept_checks is for the stage kpis, which this run leaves out",
    ),
    (
        {"stages": ["ingest"], "spark_master": "sail"},
        ["--stage=ingest", "--spark-master=sail"],
        "spark_master is for the stage transform or kpis, which this run leaves out",
    ),
    (
        {"accept_checks": ["unique_ids", "nonsense"]},
        ["--accept=unique_ids", "--accept=nonsense"],
        "There is no data quality check called nonsense. docs/data-quality.md lists all",
    ),
    (
        {"spark_master": "sc://host:1/;x-api-key=S3CRET"},
        ["--spark-master=sc://host:1/;x-api-key=S3CRET"],
        "Set a master with a token as SPARK_MASTER: as an option it would be seen",
    ),
    (
        {"spark_master": "abacus"},
        ["--spark-master=abacus"],
        "'abacus' is not a valid SPARK_MASTER; expected sail, docker, local[*], local[N], spark://… or sc://….",
    ),
    (
        {"imdb_ratings": "https://files.example/r.gz?sig=S3CRET"},
        ["--imdb-ratings=https://files.example/r.gz?sig=S3CRET"],
        "Set an address with a query as IMDB_RATINGS: as an option it would be seen",
    ),
    (
        {"output_dir": "s3://bucket/output"},
        ["--output-dir=s3://bucket/output"],
        "OUTPUT_DIR: this is not a path. Give the path of a file or a folder",
    ),
]
IDS = ["-".join(given) for given, _, _ in REFUSED]


@pytest.fixture
def folder(no_settings) -> Path:
    """A folder to run in, with a file in it."""
    (no_settings / "ids.txt").write_text("603")
    return no_settings


def left_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize(("given", "options", "sentence"), REFUSED, ids=IDS)
def test_a_flow_refuses_what_the_command_line_refuses_in_the_same_sentence(
    given, options, sentence, folder, monkeypatch
):
    monkeypatch.setattr(cli.run_command, "start_local_api", lambda: pytest.fail("a flow was about to run"))
    said = CliRunner().invoke(app, ["run", *options], input="")

    with pytest.raises((ParameterError, UnknownCheckError, EngineUnavailable)) as error:
        # Prefect calls it before a run begins, also if the flow is called in Python.
        movie_pipeline.validate_parameters(given)

    assert str(error.value) == sentence
    assert (said.exit_code, said.stderr) == (2, f"Error: {sentence}\n")
    assert left_in(folder) == ["ids.txt"]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"movie_ids": [603], "source": "ids", "filters": {}},
        {"movie_ids": [603], "stages": ["ingest", "report"], "max_requests": 5},
        {"as_of_version": 1, "stages": [], "source": "ids", "filters": {}, "refresh": False},
        {"as_of_version": 1, "stages": ["report"]},
        {"source": "discover", "filters": {"with_genres": "18"}, "movie_ids": None},
        {"accept_checks": ["unique_ids"], "spark_master": "sail", "lake_root": "s3://bucket/movies"},
        {"stages": ["kpis"], "accept_checks": ["unique_ids"], "spark_master": "sail"},
        # The deployment of the pipeline gives it to every run.
        {"stages": ["ingest"], "analytics_deployment": "refresh-analytics/docker"},
        {"as_of_version": 1, "stages": ["report"], "spark_master": "sail"},
        {"stages": ["report"], "refresh": True, "source": "ids", "movie_ids": None},
    ],
)
def test_what_can_be_meant_is_taken(given):
    movie_pipeline.validate_parameters(given)


FLOWS: list[CheckedFlow[..., Any]] = [
    movie_pipeline,
    ingest_movies,
    refresh_analytics,
    forecast_revenue,
    maintain_lake,
]


@pytest.mark.parametrize("checked", FLOWS, ids=lambda checked: checked.name)
def test_what_a_form_leaves_blank_is_read_as_the_default(checked, folder):
    takes_text = [
        name
        for name, field in checked.parameters.properties.items()
        if "string" in {field.get("type"), *(one.get("type") for one in field.get("anyOf", ()))}
        # Blank means without them.
        and name != "imdb_ratings"
    ]

    assert takes_text, "there is a text among its parameters"
    for blank in ("", " "):
        given = dict.fromkeys(takes_text, blank)
        assert checked.validate_parameters(given) == checked.validate_parameters({})


@pytest.mark.parametrize("source", ["ids", "export"])
def test_an_empty_list_is_read_as_the_default(source, folder):
    given = {"movie_ids": [], "stages": [], "accept_checks": [], "source": source}

    taken = movie_pipeline.validate_parameters(given)

    assert taken == movie_pipeline.validate_parameters({"source": source})


def test_a_source_that_does_not_exist_is_refused_with_those_that_do(folder):
    with pytest.raises(ParameterError) as error:
        ingest_movies.validate_parameters({"source": "dreams"})

    assert str(error.value) == "There is no source 'dreams'. Choose one of ids, changes, discover, export"
    assert ingest_movies.parameters.properties["source"]["enum"] == ["ids", "changes", "discover", "export"]


def test_the_analytics_have_no_stage_that_fetches(folder):
    with pytest.raises(ParameterError) as error:
        refresh_analytics.validate_parameters({"stages": ["ingest"]})

    assert str(error.value) == "stages.0: Input should be 'transform', 'kpis' or 'report'"


@pytest.mark.parametrize("checked", FLOWS, ids=lambda checked: checked.name)
def test_null_is_taken_where_it_is_the_default(checked, folder):
    nulls = {
        name: None
        for name, field in checked.parameters.properties.items()
        if {"type": "null"} in field.get("anyOf", ())
    }

    assert nulls
    assert checked.validate_parameters(nulls) == checked.validate_parameters({}) | nulls


def test_what_has_another_type_is_refused_in_one_sentence(folder):
    with pytest.raises(ParameterError) as error:
        movie_pipeline.validate_parameters({"movie_ids": ["a"], "max_requests": 0})

    assert str(error.value) == (
        "movie_ids.0: Input should be a valid integer, unable to parse string as an integer; "
        "max_requests: Input should be greater than or equal to 1"
    )


@pytest.mark.slow
async def test_a_run_by_the_api_with_what_cannot_be_meant_fails_before_it_begins_and_says_why(
    folder, place, prefect_api
):
    """What Prefect's form and REST API send: here to the ingestion, as a worker starts it."""
    has = ", ".join(ingest_movies.parameters.properties)
    said_before = "Validation of flow parameters failed with error: ParameterError: "
    async with PrefectClient(prefect_api) as client:
        deployment = await client.create_deployment(
            await client.create_flow(ingest_movies),
            "by-the-api",
            path=str(PROJECT_ROOT),
            entrypoint="flows.ingest.ingest_movies",
            pull_steps=[
                {"prefect.deployments.steps.set_working_directory": {"directory": str(PROJECT_ROOT)}}
            ],
            parameter_openapi_schema=ingest_movies.parameters.model_dump_for_openapi(),
            enforce_parameter_schema=True,
        )
        said = []
        for given in ({"movie_idz": [603]}, {"movie_ids": [603], "source": "export", "lake_root": ""}):
            # As REST does it: Prefect's own client is not asked.
            answer = httpx.post(
                f"{prefect_api}/deployments/{deployment}/create_flow_run", json={"parameters": given}
            )
            run = answer.raise_for_status().json()["id"]
            done = place.python("-m", "prefect", "flow-run", "execute", run)
            of_run = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[UUID(run)]))
            log = [record.message for record in await client.read_logs(log_filter=of_run)]
            assert "Traceback" not in done.stderr + "".join(log)
            assert sum("movie_idz" in message for message in log) == ("movie_idz" in given)
            state = (await client.read_flow_run(run)).state
            said.append((state.name, state.message))

    assert said == [
        ("Failed", f"ingest-movies has no parameter movie_idz; it has {has}"),
        ("Failed", f"{said_before}{REFUSED[0][2]}"),
    ]
    assert left_in(folder) == ["ids.txt"]


@pytest.mark.parametrize("name", ["prefect.flow_runs", "prefect.task_runs", "prefect.engine"])
def test_prefect_logs_no_trace_of_a_parameter_that_a_flow_does_not_have(name):
    logger = logging.getLogger(name)
    error = SignatureMismatchError.from_bad_params(["movie_ids"], ["movie_idz"])
    said = "Engine execution exited with unexpected exception"
    record = logger.makeRecord(name, logging.ERROR, __file__, 1, said, (), (type(error), error, None))

    assert logger.filter(record)
    assert logging.Formatter().format(record) == (
        "Function expects parameters ['movie_ids'] but was provided with parameters ['movie_idz']"
    )


def test_a_replay_on_another_engine_may_fetch_again(monkeypatch):
    requests: list[RunRequest] = []
    monkeypatch.setattr(replay, "execute", requests.append)

    replay.fetch_again(RunRequest(stages=[StageName.TRANSFORM], spark_master="local[2]"), [603])

    movie_pipeline.validate_parameters(requests[0].parameters)


def test_hooks_that_a_flow_has_itself_stay():
    def hook(flow: Any, flow_run: Any, state: Any) -> None:
        """Nothing."""

    @flow(MaintainRequest, str, name="one-with-a-hook", on_crashed=[hook])
    async def one_with_a_hook(request: MaintainRequest) -> None:
        """Nothing."""

    assert hook in one_with_a_hook.on_crashed_hooks
