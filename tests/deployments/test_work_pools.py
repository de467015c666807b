import json
from importlib.resources import files
from typing import Any

import pytest
from docker.models.containers import RUN_CREATE_KWARGS, RUN_HOST_CONFIG_KWARGS
from prefect import flow
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import PrefectHTTPStatusError
from prefect.utilities.schema_tools import is_valid_schema, validate
from prefect.utilities.templating import find_placeholders
from prefect_docker.worker import DockerWorker, DockerWorkerJobConfiguration

from flows.cli import Pool
from flows.setup import DEPLOYMENTS

WORKER_METADATA = "collections_data/views/aggregate-worker-metadata.json"
# What Prefect's own templates have no variable for, because AWS and Kubernetes take it as part of a manifest.
OWN_VARIABLES = {
    "docker": set(),
    "ecs": {"log_group", "mount_points", "secrets", "volumes"},
    "kubernetes": {"data_claim", "secret_name"},
}
# What a deployment of `prefect.yaml` says.
JOB_VARIABLES = {
    "image": "tmdb-movies-spark",
    "env": {"PREFECT_HOME": "/tmp/prefect", "SPARK_MASTER": "local[*]"},
}
DOCKER_VARIABLES = JOB_VARIABLES | {
    "volumes": ["tmdb-movies-data:/data"],
    "networks": ["tmdb-movies"],
    "mem_limit": "4g",
}
every_pool = pytest.mark.parametrize("pool", [pool.value for pool in Pool])


def template(pool: str) -> dict[str, Any]:
    return json.loads((DEPLOYMENTS / "work_pools" / f"{pool}.json").read_text())


def prefects_own(pool: str) -> dict[str, Any]:
    """The template Prefect gives such a pool: the installed worker's, or the one the server brings."""
    if pool == "docker":
        return DockerWorker.get_default_base_job_template()
    collections = json.loads((files("prefect.server.api") / WORKER_METADATA).read_text())
    [worker] = [workers[pool] for workers in collections.values() if pool in workers]
    return worker["default_base_job_configuration"]


def taken(schema: dict[str, Any]) -> set[str]:
    """What kinds of values a variable takes, or which values, null apart."""
    kinds = schema.get("enum") or [schema.get("type")]
    nested = set().union(*(taken(option) for option in schema.get("anyOf", [])))
    return {str(kind) for kind in kinds if kind not in ("null", None)} | nested


@every_pool
async def test_a_server_keeps_the_template_as_it_is(pool, client):
    made = await client.create_work_pool(
        WorkPoolCreate(name=f"test-{pool}", type=pool, base_job_template=template(pool))
    )

    assert (made.type, made.base_job_template) == (pool, template(pool))


@every_pool
def test_every_placeholder_has_a_variable_and_every_variable_a_place(pool):
    found = find_placeholders(json.dumps(template(pool)["job_configuration"]))

    assert {placeholder.name for placeholder in found} == set(template(pool)["variables"]["properties"])


@every_pool
def test_the_job_configuration_has_fields_that_prefects_worker_reads(pool):
    ours, theirs = template(pool)["job_configuration"], prefects_own(pool)["job_configuration"]

    assert set(ours) - set(theirs) == set()


@every_pool
def test_variables_take_no_other_values_than_prefects_own_do(pool):
    ours, theirs = (
        template_["variables"]["properties"] for template_ in (template(pool), prefects_own(pool))
    )

    assert set(ours) - set(theirs) == OWN_VARIABLES[pool]
    shared = set(ours) & set(theirs)
    assert {name: taken(ours[name]) - taken(theirs[name]) for name in shared} == {
        name: set() for name in shared
    }


@every_pool
def test_every_variable_is_explained_in_the_form(pool):
    variables = template(pool)["variables"]["properties"]

    unexplained = [name for name, schema in variables.items() if not {"title", "description"} <= set(schema)]
    assert unexplained == []


@every_pool
def test_defaults_and_a_deployments_job_variables_conform(pool):
    schema = template(pool)["variables"]
    defaults = {name: field["default"] for name, field in schema["properties"].items() if "default" in field}
    wanted = (
        DOCKER_VARIABLES
        if pool == "docker"
        else JOB_VARIABLES | {"execution_role_arn": "arn:aws:iam::1:role/r"}
    )

    is_valid_schema(schema)
    assert validate(defaults | wanted, schema) == []


@every_pool
def test_jobs_beat_so_that_a_dead_one_is_noticed(pool):
    default = template(pool)["variables"]["properties"]["env"]["default"]

    assert default["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"] == "30"


@pytest.mark.parametrize(
    ("pool", "variables"),
    [
        *(
            pytest.param(pool.value, {"env": {name: "k"}}, id=f"{pool}-{name}")
            for pool in Pool
            for name in ("TMDB_API_KEY", "TMDB_ACCESS_TOKEN")
        ),
        *(
            pytest.param("docker", {"volumes": [volume]}, id=volume)
            for volume in (
                "/var/run/docker.sock:/var/run/docker.sock",
                "/run/docker.sock:/sock:ro",
                "/var/run:/host",
                "/run/:/host",
                "/var:/host",
                "/:/host",
            )
        ),
    ],
)
async def test_a_server_refuses_a_visible_key_and_the_docker_socket(pool, variables, client):
    name = f"refusing-{pool}"
    await client.create_work_pool(
        WorkPoolCreate(name=name, type=pool, base_job_template=template(pool)), overwrite=True
    )
    flow_id = await client.create_flow(flow(lambda: None, name="movie-pipeline"))

    with pytest.raises(PrefectHTTPStatusError) as refusal:
        await client.create_deployment(flow_id, name, work_pool_name=name, job_variables=variables)

    assert refusal.value.response.status_code == 422


@pytest.mark.parametrize(
    "volume", ["tmdb-movies-data:/data", "/srv/movies:/data", "./data:/data", "run:/data", "/data"]
)
def test_volumes_of_data_are_taken(volume):
    assert validate({"volumes": [volume]}, template("docker")["variables"]) == []


async def test_a_docker_job_may_gain_no_privileges_whatever_its_variables(client):
    variables = DOCKER_VARIABLES | {"privileged": True, "container_create_kwargs": {"cap_add": ["ALL"]}}

    job = await DockerWorkerJobConfiguration.from_template_and_values(
        template("docker"), variables, client=client
    )

    assert job.model_dump(exclude_defaults=True) == {
        "image": "tmdb-movies-spark",
        "image_pull_policy": "IfNotPresent",
        "env": {
            "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
            "PREFECT_HOME": "/tmp/prefect",
            "SPARK_MASTER": "local[*]",
        },
        "volumes": ["tmdb-movies-data:/data"],
        "networks": ["tmdb-movies"],
        "mem_limit": "4g",
        "auto_remove": True,
        "container_create_kwargs": {
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges:true"],
            "init": True,
        },
    }
    assert set(job.container_create_kwargs) <= {*RUN_CREATE_KWARGS, *RUN_HOST_CONFIG_KWARGS}


async def test_a_docker_job_without_variables_mounts_nothing(client):
    job = await DockerWorkerJobConfiguration.from_template_and_values(template("docker"), {}, client=client)

    assert (job.image, job.mem_limit, job.volumes, job.privileged) == ("tmdb-movies-flow", "2g", [], False)


def test_a_kubernetes_pod_runs_as_the_images_user_with_its_data_and_no_privileges():
    manifest = template("kubernetes")["job_configuration"]["job_manifest"]["spec"]
    own = prefects_own("kubernetes")["job_configuration"]["job_manifest"]["spec"]
    pod, own_pod = manifest["template"]["spec"], own["template"]["spec"]
    [container], [own_container] = pod["containers"], own_pod["containers"]

    assert (manifest.keys(), own_pod.keys() - pod.keys()) == (own.keys(), set())
    assert {name: container[name] for name in own_container} == own_container
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "runAsGroup": 1000,
        "fsGroup": 1000,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["volumeMounts"] == [{"name": "data", "mountPath": "/data"}]
    assert manifest["backoffLimit"] == 0


def test_an_ecs_task_has_the_fields_of_prefects_own_and_its_keys_from_secrets():
    ours, own = (template_["job_configuration"] for template_ in (template("ecs"), prefects_own("ecs")))
    [container], [own_container] = (
        configuration["task_definition"]["containerDefinitions"] for configuration in (ours, own)
    )

    assert own["task_definition"].keys() - ours["task_definition"].keys() == set()
    assert own_container.keys() - container.keys() == set()
    assert own["task_run_request"]["overrides"].keys() == ours["task_run_request"]["overrides"].keys()
    assert (container["user"], container["secrets"]) == ("1000:1000", "{{ secrets }}")
    assert template("ecs")["variables"]["properties"]["env"]["default"]["PREFECT_API_KEY"] is None
