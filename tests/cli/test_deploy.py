"""`movies deploy`: what operators have set on a server stays there, until the defaults are asked for."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import DeploymentScheduleUpdate, DeploymentUpdate
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule, RRuleSchedule

from cli.deploy import differences, reset_variables, settings_of, with_settings
from cli.setup import set_up
from deployments.job_settings import PROJECT
from movies.settings import load_settings
from tests.places import Place, clean_environment
from tests.prefect_servers import cleared

pytestmark = pytest.mark.slow
SECONDS = 240.0
PIPELINE, REFRESH = "movie-pipeline/docker", "refresh-analytics/docker"
TRIGGER = "Refresh the analytics when new movies have landed"
DEFAULTS = {
    "schedules": [{"cron": "30 8 * * *", "timezone": "UTC", "active": False}],
    "parameters": {"analytics_deployment": "refresh-analytics/docker"},
    "tags": ["tmdb", "pipeline"],
    "paused": False,
    "concurrency": (1, "ENQUEUE"),
    "mem_limit": "1g",
}


@pytest.fixture
async def client(prefect_api, no_settings):
    """A client of the tests' server, where the pool is set up and nothing is deployed."""
    async with cleared(prefect_api) as client:
        await set_up("docker", load_settings(), None, lambda text: None)
        yield client


def deploy(place: Place, *options: str) -> list[str]:
    """Run `movies deploy`; return what it said beside Prefect."""
    command = [sys.executable, "-m", "cli", "deploy", "--no-build", *options]
    return [line for line in _run(place, command).splitlines() if re.match(r"[\w-]+/docker [a-z]+ ", line)]


def _run(place: Place, command: list[str]) -> str:
    done = subprocess.run(
        command,
        cwd=PROJECT,
        env=clean_environment() | place.environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def found(client: PrefectClient, name: str) -> dict[str, Any]:
    deployment = await client.read_deployment_by_name(name)
    schedules = [
        schedule.schedule.model_dump(mode="json", exclude_defaults=True)
        | {"active": schedule.active}
        | {name: value for name in ("parameters", "slug") if (value := getattr(schedule, name))}
        for schedule in deployment.schedules
    ]
    limit, options = deployment.global_concurrency_limit, deployment.concurrency_options
    return {
        "schedules": sorted(schedules, key=json.dumps),
        "parameters": deployment.parameters,
        "tags": deployment.tags,
        "paused": deployment.paused,
        "concurrency": limit and options and (limit.limit, options.collision_strategy.value),
        "mem_limit": deployment.job_variables["mem_limit"],
    }


async def test_what_was_set_there_outlives_each_deploy_until_the_defaults_are_asked_for(client, place):
    assert deploy(place) == []
    assert await found(client, PIPELINE) == DEFAULTS
    deployment = await client.read_deployment_by_name(PIPELINE)
    schedules = [
        DeploymentScheduleUpdate(
            schedule=CronSchedule(cron="0 6 * * *", timezone="Europe/Oslo"),
            active=True,
            parameters={"source": "changes"},
        ),
        DeploymentScheduleUpdate(
            schedule=IntervalSchedule(
                interval=timedelta(hours=36), anchor_date=datetime(2026, 1, 2, tzinfo=UTC), timezone="UTC"
            ),
            slug="every-other-day",
        ),
        DeploymentScheduleUpdate(schedule=RRuleSchedule(rrule="FREQ=MONTHLY;BYDAY=1MO"), active=False),
    ]
    for schedule in deployment.schedules:
        await client.delete_deployment_schedule(deployment.id, schedule.id)
    await client.update_deployment(
        deployment.id,
        DeploymentUpdate(
            schedules=schedules,
            parameters={"source": "changes", "max_minutes": 30, "analytics_deployment": None},
            tags=["tmdb", "nightly"],
            paused=True,
            concurrency_limit=2,
            concurrency_options={"collision_strategy": "CANCEL_NEW"},
            job_variables=deployment.job_variables
            | {"mem_limit": "3g", "image": "tmdb-movies-flow:old", "stream_output": True},
        ),
    )
    refresh = await client.read_deployment_by_name(REFRESH)
    [automation] = await client.read_resource_related_automations(f"prefect.deployment.{refresh.id}")
    await client.pause_automation(automation.id)
    changed = await found(client, PIPELINE)
    assert changed["schedules"] == [
        {"cron": "0 6 * * *", "timezone": "Europe/Oslo", "active": True, "parameters": {"source": "changes"}},
        {
            "interval": 129600.0,
            "anchor_date": "2026-01-02T00:00:00Z",
            "timezone": "UTC",
            "active": True,
            "slug": "every-other-day",
        },
        {"rrule": "DTSTART:20200101T000000\nFREQ=MONTHLY;BYDAY=1MO", "active": False},
    ]

    said = deploy(place)

    assert await found(client, PIPELINE) == changed
    deployment = await client.read_deployment_by_name(PIPELINE)
    assert deployment.job_variables["image"] == "tmdb-movies-flow:latest"
    [automation] = await client.read_resource_related_automations(f"prefect.deployment.{refresh.id}")
    assert (automation.name, automation.enabled) == (TRIGGER, False)
    assert [line.partition(":")[0] for line in said] == [
        *(f"{PIPELINE} keeps {name}" for name in settings_of(pipeline_config())),
        f"{PIPELINE} resets job variable stream_output",
        f"{REFRESH} keeps automation {TRIGGER}",
    ]

    reset = deploy(place, "--defaults")

    assert await found(client, PIPELINE) == DEFAULTS
    [automation] = await client.read_resource_related_automations(f"prefect.deployment.{refresh.id}")
    assert automation.enabled
    assert reset == [line.replace(" keeps ", " resets ") for line in said if "stream_output" not in line]


async def test_deploying_by_hand_says_first_what_it_will_reset(client, place):
    deploy(place)
    deployment = await client.read_deployment_by_name(PIPELINE)
    await client.update_deployment(deployment.id, DeploymentUpdate(parameters={"source": "changes"}))

    # The images are not built here: the step that would do it is the only one left out.
    project = yaml.safe_load((PROJECT / "prefect.yaml").read_text())
    for one in project["deployments"]:
        one["build"] = [step for step in one["build"] if not any("docker" in name for name in step)]
        one["work_pool"]["job_variables"]["image"] = "tmdb-movies-flow:latest"
    file = place.folder / "by-hand.yaml"
    file.write_text(yaml.safe_dump(project))
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(file)]
    said = _run(place, command)

    lines = said.splitlines()
    first = lines.index("`prefect deploy` resets these, if it deploys them; `movies deploy` keeps them:")
    assert lines[first + 1] == (
        f'  {PIPELINE} resets parameters: {{"source": "changes"}} '
        '(default: {"analytics_deployment": "refresh-analytics/docker"})'
    )
    assert said.count("resets") == 2
    assert await found(client, PIPELINE) == DEFAULTS


async def test_a_parameter_that_the_flow_no_longer_has_is_dropped_from_all_places(client, place):
    deploy(place)
    deployment = await client.read_deployment_by_name(PIPELINE)
    schedule = DeploymentScheduleUpdate(
        schedule=CronSchedule(cron="0 6 * * *"), parameters={"gone": 1, "source": "changes"}
    )
    await client.update_deployment(
        deployment.id,
        DeploymentUpdate(
            schedules=[schedule],
            parameters={"gone": 2, "refresh": True},
            parameter_openapi_schema={"type": "object", "properties": {"gone": {}, "refresh": {}}},
        ),
    )

    assert f"{PIPELINE} drops the parameter gone, which the flow no longer has" in deploy(place)

    now = await found(client, PIPELINE)
    assert now["parameters"] == {"refresh": True}
    assert [one["parameters"] for one in now["schedules"]] == [{"source": "changes"}]


def pipeline_config() -> dict[str, Any]:
    project: dict[str, Any] = yaml.safe_load((PROJECT / "prefect.yaml").read_text())
    return dict(project["deployments"][0])


def test_a_limit_that_a_setting_computes_is_not_an_operators():
    refresh = yaml.safe_load((PROJECT / "prefect.yaml").read_text())["deployments"][2]

    assert "mem_limit" not in settings_of(refresh)
    assert with_settings(refresh, settings_of(refresh))["work_pool"] == refresh["work_pool"]
    assert list(differences(settings_of(refresh), settings_of(refresh))) == []


def test_variables_that_a_deploy_takes_away_or_sets_otherwise_are_named():
    current = {
        "image": "tmdb-movies-flow:old",
        "mem_limit": "3g",
        "labels": {"team": "film"},
        "env": {"INGESTION_CONCURRENCY": "5", "PREFECT_LOGGING_LEVEL": "DEBUG", "PLOT_THEME": "dark"},
    }
    environment = {"INGESTION_CONCURRENCY": "10", "PLOT_THEME": "dark", "PREFECT_HOME": "/tmp/prefect"}

    assert list(reset_variables(current, pipeline_config(), environment)) == [
        'job variable labels: {"team": "film"} (the work pool keeps what is set there)',
        'job variable env.INGESTION_CONCURRENCY: "5" (now: "10")',
        'job variable env.PREFECT_LOGGING_LEVEL: "DEBUG" (the work pool keeps what is set there)',
    ]
