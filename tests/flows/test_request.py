"""The parameters that flows have, as their requests declare them."""

from __future__ import annotations

import pytest

from flows.pipeline import movie_pipeline
from flows.request import AnalyticsRequest, IngestRequest, RunRequest
from movies.lake.tables import SILVER_MOVIES
from movies.settings import DEFAULT_MOVIE_IDS
from stages.names import StageName
from tests.flows.test_parameters import FLOWS
from tests.places import PROJECT_ROOT

# What version 0.1.0 had: stored schedules and scripts send these.
PARAMETERS_0_1_0 = {
    "movie_ids": None, "movie_ids_file": None, "source": "ids", "filters": None, "stages": None,
    "refresh": False, "max_requests": None, "max_minutes": None, "spark_master": None, "lake_root": None,
    "output_dir": None, "analytics_deployment": None, "accept_checks": None, "as_of_version": None,
    "imdb_ratings": None,
}  # fmt: skip


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_a_form_shows_every_parameter_with_the_help_of_its_field(flow):
    shown = {name: field.get("description") for name, field in flow.parameters.properties.items()}

    declared = {name: field.description for name, field in flow.request.model_fields.items()}
    assert shown == declared
    assert all(declared.values())


def test_parameters_are_flat_and_typed_with_their_bounds():
    properties = movie_pipeline.parameters.properties

    assert properties["movie_ids"]["anyOf"][0]["items"]["minimum"] == 0
    assert properties["max_requests"]["anyOf"] == [{"minimum": 1, "type": "integer"}, {"type": "null"}]
    assert properties["source"]["enum"] == ["ids", "changes", "discover", "export"]
    assert (properties["refresh"]["type"], properties["refresh"]["default"]) == ("boolean", False)


def test_nulls_of_an_older_deployment_are_the_defaults(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert movie_pipeline.validate_parameters(PARAMETERS_0_1_0) == RunRequest().parameters


@pytest.mark.slow
def test_a_run_with_the_nulls_of_an_older_deployment_fetches_and_reports_the_default_movies(served):
    place, sandbox = served()
    imports = "import asyncio; from flows.pipeline import movie_pipeline"

    done = place.python(
        "-c", f"{imports}; asyncio.run(movie_pipeline(**{PARAMETERS_0_1_0}))", PYTHONPATH=str(PROJECT_ROOT)
    )

    assert done.returncode == 0, done.stderr
    assert sandbox.stats()["requests"] == len(DEFAULT_MOVIE_IDS)
    assert len(place.rows(SILVER_MOVIES, "id")) == 18
    assert (place.folder / "output" / "dashboard.html").exists()


def test_a_pipeline_gives_each_part_what_it_was_asked():
    request = RunRequest(
        movie_ids=[603], refresh=True, stages=["report", "ingest", "kpis"], lake_root="/data"
    )

    assert request.wanted == [StageName.INGEST, StageName.KPIS, StageName.REPORT]
    assert request.ingestion == IngestRequest(movie_ids=[603], refresh=True, lake_root="/data")
    assert request.analytics == AnalyticsRequest(stages=["kpis", "report"], refresh=True, lake_root="/data")
    assert RunRequest(stages=["ingest"]).analytics is None
