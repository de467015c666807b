"""`prefect.yaml`: what it deploys, and that nothing of this machine or of a secret gets in."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.flows import load_flow_from_entrypoint
from prefect.utilities.schema_tools import validate
from prefect.utilities.templating import apply_values

from cli.deploy import without_builds
from deployments.job_settings import job_settings, revision
from deployments.work_pool import BUILD_STEP, work_pool_template
from movies.settings import load_settings

PROJECT_ROOT = Path(__file__).parents[2]
TEXT = (PROJECT_ROOT / "prefect.yaml").read_text()
DEPLOYMENTS: list[dict[str, Any]] = yaml.safe_load(TEXT)["deployments"]
LONGEST = 9
IMAGES = {
    "movie-pipeline": "tmdb-movies-flow",
    "ingest-movies": "tmdb-movies-flow",
    "refresh-analytics": "tmdb-movies-spark",
    "forecast-revenue": "tmdb-movies-forecast",
    "maintain-lake": "tmdb-movies-flow",
}


def flow_name(deployment: dict[str, Any]) -> str:
    return str(load_flow_from_entrypoint(deployment["entrypoint"]).name)


def build_step(deployment: dict[str, Any]) -> dict[str, Any]:
    [options] = [step[BUILD_STEP] for step in deployment["build"] if BUILD_STEP in step]
    return dict(options)


def test_every_flow_is_deployed_in_its_image_one_run_at_a_time_with_schedules_off() -> None:
    images = {flow_name(one): build_step(one)["image_name"] for one in DEPLOYMENTS}

    assert images == IMAGES
    for one in DEPLOYMENTS:
        assert one["name"] == "docker"
        assert one["concurrency_limit"] == {"limit": 1, "collision_strategy": "ENQUEUE"}
        assert one["work_pool"]["name"] == "movies-docker"
        assert [schedule["active"] for schedule in one.get("schedules", [])] in ([], [False])


def test_a_deployment_is_told_in_under_ten_lines() -> None:
    blocks = TEXT.split("\ndeployments:\n")[1].strip("\n").split("\n\n")

    assert len(blocks) == len(DEPLOYMENTS)
    assert max(len(block.splitlines()) for block in blocks) <= LONGEST


def test_parameters_are_the_flows_own_and_every_one_is_described() -> None:
    for one in DEPLOYMENTS:
        flow = load_flow_from_entrypoint(one["entrypoint"])
        names = set(inspect.signature(flow.fn).parameters)
        assert set(one.get("parameters", {})) <= names
        described = inspect.getdoc(flow.fn) or ""
        assert [name for name in names if f"{name}:" not in described] == []


@pytest.mark.parametrize("movie_ids", [[-1], [2**63], ["Avatar"], 603])
def test_the_form_of_the_pipeline_refuses_what_is_no_list_of_movie_ids(movie_ids: Any) -> None:
    schema = load_flow_from_entrypoint("flows.pipeline.movie_pipeline").parameters.model_dump_for_openapi()

    assert validate({"movie_ids": [0, 2**63 - 1]}, schema) == []
    assert validate({"movie_ids": movie_ids}, schema) != []


def test_job_variables_fit_the_work_pool() -> None:
    template = work_pool_template("docker", load_settings())

    for one in DEPLOYMENTS:
        build = build_step(one)
        image = f"{build['image_name']}:{build['tag']}"
        outputs = {"built": {"image": image}, "job": job_settings(retries=1)}
        variables = apply_values(one["work_pool"]["job_variables"], outputs)
        assert set(variables) <= set(template["variables"]["properties"])
        validate(variables, template["variables"], raise_on_error=True)


@pytest.mark.parametrize("store", [None, "s3"])
def test_nothing_is_left_for_an_unset_variable_where_images_are_built(store, monkeypatch) -> None:
    monkeypatch.delenv("OBJECT_STORE", raising=False)
    if store:
        monkeypatch.setenv("OBJECT_STORE", store)
    outputs = {"job": job_settings()}

    assert "$" not in TEXT
    for one in DEPLOYMENTS:
        build = build_step(one)
        forecast = {"FORECAST": "1"} if build["image_name"] == "tmdb-movies-forecast" else {}
        arguments = {"OBJECT_STORE": store or "", "REVISION": revision()}
        assert apply_values(build["buildargs"], outputs) == arguments | forecast


def test_code_is_where_the_image_has_it_and_not_where_it_was_deployed_from() -> None:
    step = {"prefect.deployments.steps.set_working_directory": {"directory": "/app"}}

    assert yaml.safe_load(TEXT)["pull"] == [step]


@pytest.mark.parametrize("forbidden", ["docker.sock", "TMDB_API_KEY", "TMDB_ACCESS_TOKEN", "privileged"])
def test_no_deployment_asks_for_the_docker_socket_or_holds_a_key(forbidden: str) -> None:
    assert forbidden not in TEXT


def test_deploying_ready_images_differs_in_nothing_but_the_build() -> None:
    ready = without_builds(yaml.safe_load(TEXT))["deployments"]

    for one, deployed in zip(DEPLOYMENTS, ready, strict=True):
        image = f"{IMAGES[flow_name(one)]}:latest"
        assert deployed["build"] == [step for step in one["build"] if BUILD_STEP not in step]
        assert deployed["work_pool"]["job_variables"] == one["work_pool"]["job_variables"] | {"image": image}
        assert {name: deployed[name] for name in one if name not in ("build", "work_pool")} == {
            name: one[name] for name in one if name not in ("build", "work_pool")
        }
