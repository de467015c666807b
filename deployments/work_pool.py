"""The work pools of `deployments/work_pools/`, with a list of what this installation's jobs may use.

Prefect's API validates job variables only against the pool's schema. A list of forbidden values would have
gaps (`/./run` is `/run`, `tmdb_api_key` is a setting), so the schema lists the allowed ones.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.exceptions import ObjectNotFound
from prefect.utilities.schema_tools import validate

from deployments.job_settings import DATA, PROJECT, data_volume, variable_names
from movies.settings import Settings

DEPLOYMENTS = PROJECT / "deployments"
# From version 0.1.0, and not in use.
EARLIER_DEFAULTS = {"stream_output": True}
BUILD_STEP = "prefect_docker.deployments.steps.build_docker_image"


class SetupError(Exception):
    """Setup or deploy failed although the API responds; the text says why (exit status 1)."""


def read_file(path: Path) -> str:
    """Read a file of the checkout.

    Raises:
        SetupError: the file does not exist.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SetupError(f"{path} cannot be read. Run this command in a checkout.") from error


def image_names() -> list[str]:
    """Return the images that `prefect.yaml` builds, as its deployments name them.

    Raises:
        SetupError: the file does not exist.
    """
    deployments = yaml.safe_load(read_file(PROJECT / "prefect.yaml"))["deployments"]
    builds = [step[BUILD_STEP] for one in deployments for step in one["build"] if BUILD_STEP in step]
    return sorted({f"{build['image_name']}:{build['tag']}" for build in builds})


def work_pool_template(pool: str, settings: Settings) -> dict[str, Any]:
    """Read a pool's base job template and write into its schema what this installation has.

    Raises:
        SettingsError: `DATA_VOLUME` is not valid.
        SetupError: there is no `deployments/` or `prefect.yaml`.
    """
    template: dict[str, Any] = json.loads(read_file(DEPLOYMENTS / "work_pools" / f"{pool}.json"))
    variables = template["variables"]["properties"]
    env = variables["env"]
    env["propertyNames"] = {"enum": sorted({*variable_names(), *env.get("properties", {})})}
    if pool == "docker":
        variables["image"]["enum"] = image_names()
        volume, user = data_volume(settings.data_volume, settings.data_user)
        variables["volumes"]["items"]["enum"] = [f"{volume}:{DATA}"]
        variables["user"] |= {"enum": [user], "default": user}
        if settings.job_network:
            variables["networks"]["items"]["enum"] = [settings.job_network]
        else:
            variables["networks"]["maxItems"] = 0
    return template


async def save_work_pool(
    client: PrefectClient, pool: str, template: dict[str, Any], *, defaults: bool = False
) -> str:
    """Create or update the work pool, and return which of both was done.

    An existing pool keeps its concurrency limit, its pause, and those of its defaults that the schema allows;
    with `defaults`, all of them are reset.

    Raises:
        SetupError: its name is taken.
    """
    name = f"movies-{pool}"
    try:
        current = await client.read_work_pool(name)
    except ObjectNotFound:
        await client.create_work_pool(WorkPoolCreate(name=name, type=pool, base_job_template=template))
        return "created"
    if current.type != pool:
        raise SetupError(f"There is a work pool {name} of type {current.type}, not {pool}. Delete it first")
    if defaults:
        update = WorkPoolUpdate(base_job_template=template, is_paused=False, concurrency_limit=None)
        await client.update_work_pool(name, update)
        return "as this version has it"
    wanted, dropped = keep_defaults(current.base_job_template, template)
    if current.base_job_template == wanted:
        return "unchanged"
    await client.update_work_pool(name, WorkPoolUpdate(base_job_template=wanted))
    return f"updated; no longer allowed: {', '.join(dropped)}" if dropped else "updated"


def keep_defaults(current: dict[str, Any], template: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Merge the current defaults into the template; return it and the names of rejected defaults."""
    template = json.loads(json.dumps(template))
    schema, dropped = template["variables"], []
    for name, field in current.get("variables", {}).get("properties", {}).items():
        default = schema["properties"].get(name, {}).get("default")
        value = field.get("default")
        if value in (None, default) or EARLIER_DEFAULTS.get(name) == value:
            continue
        if isinstance(value, dict):
            kept = {key: one for key, one in value.items() if is_allowed(name, {key: one}, schema)}
            dropped += [f"{name}.{key}" for key in value.keys() - kept.keys()]
            value = (default or {}) | kept
        if is_allowed(name, value, schema):
            schema["properties"][name]["default"] = value
        else:
            dropped.append(name)
    return template, sorted(dropped)


def is_allowed(name: str, value: Any, schema: dict[str, Any]) -> bool:
    """Return whether a job variable may have this value."""
    return not validate({name: value}, schema | {"required": []})
