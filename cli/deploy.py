"""The command `movies deploy`: deploy `prefect.yaml`, and keep what operators have set on the server."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache
from typing import Any

import yaml  # type: ignore[import-untyped]
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import NoSchedule
from prefect.exceptions import ObjectNotFound
from prefect.flows import Flow, load_flow_from_entrypoint

from cli.setup import connect
from cli.terminal import Terminal
from deployments.job_settings import PROJECT, job_settings
from deployments.work_pool import BUILD_STEP, SetupError, read_file

# The step of `prefect.yaml` that warns users of `prefect deploy`.
WARNING_STEP = "cli.deploy.say_what_is_reset"
# Fields that stay as operators have set them; the others come from the new version or the settings.
FIELDS = ("schedules", "parameters", "tags", "paused", "concurrency_limit")
LIMITS = ("mem_limit", "memswap_limit")
TRIGGER = "automation "

Config = dict[str, Any]


def show_deploy(*, defaults: bool, build: bool) -> None:
    """Deploy every flow, and list what is kept or reset.

    Args:
        defaults: whether what operators have set is reset to what `prefect.yaml` has.
        build: whether the images are built first.

    Raises:
        SettingsError: there is no API, or it does not respond.
        SetupError: there is no `prefect.yaml`, or Prefect could not deploy it.
    """
    terminal = Terminal()
    project = _read_project()
    if not build:
        project = without_builds(project)
    changes = asyncio.run(_merge(project, defaults=defaults))
    _without_warning(project)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        yaml.safe_dump(project, file)
        file.flush()
        command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
        done = subprocess.run([*command, "--prefect-file", file.name], cwd=PROJECT, check=False)
    if done.returncode:
        raise SetupError("Prefect could not deploy everything. See its output above")
    for name, sentences in changes.items():
        for sentence in sentences:
            terminal.say(f"{name} {sentence}")


@cache  # once for all deployments of a command
def say_what_is_reset() -> None:
    """Warn that `prefect deploy` keeps nothing; a step in `prefect.yaml`."""
    terminal = Terminal()
    changes = asyncio.run(_merge(_read_project(), defaults=True))
    if any(changes.values()):
        terminal.say("`prefect deploy` resets these, if it deploys them; `movies deploy` keeps them:")
    for name, sentences in changes.items():
        for sentence in sentences:
            terminal.say(f"  {name} {sentence}")


def without_builds(project: Config) -> Config:
    """Replace the steps that build images by the images' names."""
    project = deepcopy(project)
    for deployment in project["deployments"]:
        [options] = [step[BUILD_STEP] for step in deployment["build"] if BUILD_STEP in step]
        deployment["build"] = [step for step in deployment["build"] if BUILD_STEP not in step]
        pool = deployment["work_pool"]
        image = f"{options['image_name']}:{options['tag']}"
        deployment["work_pool"] = pool | {"job_variables": pool["job_variables"] | {"image": image}}
    return project


def _without_warning(project: Config) -> None:
    for deployment in project["deployments"]:
        deployment["build"] = [step for step in deployment["build"] if WARNING_STEP not in step]


def _read_project() -> Config:
    project: Config = yaml.safe_load(read_file(PROJECT / "prefect.yaml"))
    # Anchors make deployments share objects; copies can be changed for one deployment alone.
    return deepcopy({name: value for name, value in project.items() if name != "definitions"})


async def _merge(project: Config, *, defaults: bool) -> dict[str, list[str]]:
    """Put what operators have set into the deployments of a project, unless `defaults` is set.

    Returns:
        Sentences on what is kept, reset or dropped, by the deployments' full names.
    """
    said: dict[str, list[str]] = {}
    environment = job_settings(retries=1)["environment"]
    async with connect() as client:
        for place, deployment in enumerate(project["deployments"]):
            flow: Flow[..., Any] = load_flow_from_entrypoint(deployment["entrypoint"])
            name = f"{flow.name}/{deployment['name']}"
            try:
                current = await client.read_deployment_by_name(name)
            except ObjectNotFound:
                continue
            default = settings_of(deployment)
            found = await _read_settings(client, current, default)
            reset = [
                f"resets {one}" for one in reset_variables(current.job_variables, deployment, environment)
            ]
            if defaults:
                said[name] = [f"resets {one}" for one in differences(found, default)] + reset
                continue
            kept, dropped = _without_unknown(found, set(flow.parameters.properties))
            said[name] = [f"keeps {one}" for one in differences(kept, default)] + reset
            said[name] += [f"drops the parameter {one}, which the flow no longer has" for one in dropped]
            project["deployments"][place] = with_settings(deployment, kept)
    return said


def settings_of(deployment: Config) -> Config:
    """Return the fields that operators may set, with the values of `prefect.yaml`."""
    variables = deployment["work_pool"]["job_variables"]
    # A computed limit comes from a setting, such as SPARK_DRIVER_MEMORY.
    limits = {name: variables[name] for name in LIMITS if "{{" not in str(variables.get(name, "{{"))}
    return {
        "schedules": sorted(deployment.get("schedules", []), key=_words),
        "parameters": deployment.get("parameters", {}),
        "tags": deployment.get("tags", []),
        "paused": deployment.get("paused", False),
        "concurrency_limit": deployment.get("concurrency_limit"),
        **limits,
        **{f"{TRIGGER}{trigger['name']}": trigger["enabled"] for trigger in deployment.get("triggers", [])},
    }


async def _read_settings(client: PrefectClient, current: DeploymentResponse, default: Config) -> Config:
    """Return the fields that operators may set, with the values of the server."""
    found: Config = {
        # The server sorts them by their last change.
        "schedules": sorted(
            (
                describe_schedule(schedule)
                for schedule in current.schedules
                if not isinstance(schedule.schedule, NoSchedule)
            ),
            key=_words,
        ),
        "parameters": current.parameters,
        "tags": current.tags,
        "paused": current.paused,
        "concurrency_limit": _describe_limit(current),
    }
    for automation in await client.read_resource_related_automations(f"prefect.deployment.{current.id}"):
        found[f"{TRIGGER}{automation.name}"] = automation.enabled
    known = default.keys() & (found.keys() | current.job_variables.keys())
    return {name: found[name] if name in found else current.job_variables[name] for name in known}


def describe_schedule(schedule: DeploymentSchedule) -> Config:
    """Convert a schedule of the server to the form of `prefect.yaml`, without Prefect's defaults."""
    config = schedule.schedule.model_dump(mode="json", exclude_defaults=True) | {"active": schedule.active}
    more = {"parameters": schedule.parameters, "slug": schedule.slug}
    return config | {name: value for name, value in more.items() if value}


def _describe_limit(deployment: DeploymentResponse) -> Config | None:
    if (limit := deployment.global_concurrency_limit) is None:
        return None
    options = deployment.concurrency_options
    return {"limit": limit.limit} | (options.model_dump(mode="json", exclude_none=True) if options else {})


def with_settings(deployment: Config, settings: Config) -> Config:
    """Merge what operators have set into a deployment of this version."""
    pool = deployment["work_pool"]
    limits = {name: settings[name] for name in LIMITS if name in settings}
    merged = deployment | {name: settings[name] for name in FIELDS}
    merged["work_pool"] = pool | {"job_variables": pool["job_variables"] | limits}
    if "triggers" in deployment:
        merged["triggers"] = [
            trigger | {"enabled": settings.get(f"{TRIGGER}{trigger['name']}", trigger["enabled"])}
            for trigger in deployment["triggers"]
        ]
    return merged


def differences(found: Config, default: Config) -> Iterator[str]:
    """List what operators have set to other values than the default, in words."""
    for name in default:
        if name in found and found[name] != default[name]:
            yield f"{name}: {_words(found[name])} (default: {_words(default[name])})"


def reset_variables(
    current: Mapping[str, Any], deployment: Config, environment: Mapping[str, str]
) -> Iterator[str]:
    """List the job variables that a deploy removes or changes, in words.

    Args:
        current: the job variables that the server has.
        deployment: the same deployment of this version.
        environment: the variables that its jobs get from the settings.
    """
    version = deployment["work_pool"]["job_variables"].keys() | set(LIMITS)
    for name in sorted(current.keys() - version):
        yield f"job variable {name}: {_words(current[name])} (the work pool keeps what is set there)"
    for name, value in sorted((current.get("env") or {}).items()):
        if name not in environment:
            yield f"job variable env.{name}: {_words(value)} (the work pool keeps what is set there)"
        elif value != environment[name]:
            yield f"job variable env.{name}: {_words(value)} (now: {_words(environment[name])})"


def _words(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _without_unknown(found: Config, known: set[str]) -> tuple[Config, list[str]]:
    """Remove parameters that the flow does not have; return the rest and the removed names.

    Prefect rejects a deployment with an unknown parameter, and every other change with it.
    """
    places = [found, *found["schedules"]]
    dropped = sorted({name for place in places for name in place.get("parameters", {}) if name not in known})
    kept = deepcopy(found)
    for place in (kept, *kept["schedules"]):
        for name in dropped:
            place.get("parameters", {}).pop(name, None)
    return kept, dropped
