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

from cli.app import Pool
from deployments.job_settings import PASSED_ON, STORE_VARIABLES, job_environment, job_settings, variable_names
from deployments.work_pool import DEPLOYMENTS, is_allowed, work_pool_template
from movies.settings import load_settings

WORKER_METADATA = "collections_data/views/aggregate-worker-metadata.json"
# What Prefect's own templates have no variable for, because AWS and Kubernetes take it as part of a manifest.
OWN_VARIABLES = {
    "docker": {"user"},
    "ecs": {"log_group", "mount_points", "secrets", "volumes"},
    "kubernetes": {"data_claim", "secret_name"},
}
# What a deployment of `prefect.yaml` says.
JOB_VARIABLES = {
    "image": "tmdb-movies-spark:latest",
    "env": {"PREFECT_HOME": "/tmp/prefect", "SPARK_MASTER": "local[*]"},
}
DOCKER_VARIABLES = JOB_VARIABLES | {
    "volumes": ["tmdb-movies-data:/data"],
    "networks": ["tmdb-movies"],
    "mem_limit": "4g",
}
every_pool = pytest.mark.parametrize("pool", [pool.value for pool in Pool])


def template(pool: str) -> dict[str, Any]:
    """As `movies setup` writes it for the containers of compose."""
    return work_pool_template(pool, load_settings(job_network="tmdb-movies"))


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
    # As it is filed: what this installation has is no other kind of value.
    filed = json.loads((DEPLOYMENTS / "work_pools" / f"{pool}.json").read_text())
    ours, theirs = (template_["variables"]["properties"] for template_ in (filed, prefects_own(pool)))

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
    wanted = {
        "docker": DOCKER_VARIABLES,
        "ecs": JOB_VARIABLES | {"execution_role_arn": "arn:aws:iam::1:role/r"},
        "kubernetes": JOB_VARIABLES,
    }[pool]

    is_valid_schema(schema)
    assert validate(defaults | wanted, schema) == []


@every_pool
def test_jobs_beat_so_that_a_dead_one_is_noticed(pool):
    default = template(pool)["variables"]["properties"]["env"]["default"]

    assert default["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"] == "30"


VOLUMES = (
    "/var/run/docker.sock:/var/run/docker.sock",
    "/run/docker.sock:/sock:ro",
    "/:/host",
    "/./run:/r",
    "/var/../run:/r",
    "/proc/1/root/run:/r",
    "tmdb-movies-data:/app",
    "another-volume:/data",
    "/srv/movies:/data",
)
# What a job variable may not hold itself, but a block that it refers to may.
CLOUD = {"LAKE_ROOT": "s3://b/l", "PREFECT_API_KEY": None}
STORE_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
KEYS = ("TMDB_API_KEY", "TMDB_ACCESS_TOKEN", "tmdb_api_key", "AWS_SECRET_ACCESS_KEY", "aws_secret_access_key")
REFUSED = [
    *(
        pytest.param(pool.value, {"env": {name: "k"}}, id=f"{pool.value}-{name}")
        for pool in Pool
        for name in (*KEYS, "LD_PRELOAD", "PREFECT_API_URL", "PREFECT_API_AUTH_STRING")
    ),
    *(pytest.param(pool, {"env": {"PREFECT_API_KEY": "k"}}, id=pool) for pool in ("ecs", "kubernetes")),
    *(pytest.param(pool.value, {"privileged": True}, id=f"{pool.value}-unknown") for pool in Pool),
    *(pytest.param("docker", {"volumes": [volume]}, id=volume) for volume in VOLUMES),
    *(
        pytest.param("docker", {"image": image}, id=image)
        for image in ("alpine", "tmdb-movies-flow", "tmdb-movies-flow:other", "host/tmdb-movies-flow:latest")
    ),
    *(
        pytest.param("docker", {"networks": [network]}, id=network)
        for network in ("host", "tmdb-movies-docker")
    ),
    *(
        pytest.param("docker", {"network_mode": mode}, id=mode)
        for mode in ("host", "container:tmdb-movies-docker-1")
    ),
]


@pytest.fixture
async def deployed(client):
    """How to ask a server for a deployment or a run with job variables; returns the statuses of both."""
    flow_id = await client.create_flow(flow(lambda: None, name="movie-pipeline"))

    async def ask(pool: str, variables: dict[str, Any]) -> tuple[int, int]:
        name = f"asking-{pool}"
        create = WorkPoolCreate(name=name, type=pool, base_job_template=template(pool))
        await client.create_work_pool(create, overwrite=True)
        required = {} if pool != "ecs" else {"image": "i", "execution_role_arn": "arn:aws:iam::1:role/r"}
        plain = await client.create_deployment(
            flow_id, f"plain-{pool}", work_pool_name=name, job_variables=required
        )
        statuses = []
        for call in (
            client.create_deployment(flow_id, name, work_pool_name=name, job_variables=required | variables),
            client.create_flow_run_from_deployment(plain, job_variables=variables),
        ):
            try:
                await call
                statuses.append(201)
            except PrefectHTTPStatusError as refusal:
                statuses.append(refusal.response.status_code)
        return statuses[0], statuses[1]

    return ask


@pytest.mark.parametrize(("pool", "variables"), REFUSED)
def test_a_schema_refuses_whatever_is_not_this_installations(pool, variables):
    [(name, value)] = variables.items()

    assert not is_allowed(name, value, template(pool)["variables"])


@pytest.mark.parametrize(
    ("pool", "variables"),
    [
        ("docker", {"volumes": ["/./run:/r"]}),
        ("ecs", {"env": {"tmdb_api_key": "k"}}),
        ("kubernetes", {"privileged": True}),
    ],
)
async def test_a_server_refuses_what_the_schema_does(pool, variables, deployed):
    assert await deployed(pool, variables) == (422, 422)


@pytest.mark.parametrize(
    ("pool", "variables"),
    [
        ("docker", DOCKER_VARIABLES | {"env": dict.fromkeys(variable_names(), "1")}),
        ("docker", {"labels": {"team": "movies"}, "name": "a-run", "command": "movies status"}),
        ("docker", {"env": dict.fromkeys(STORE_KEYS, "{{ prefect.blocks.secret.store-key }}")}),
        *((pool, {"image": "host/tmdb-movies-flow:1", "env": CLOUD}) for pool in ("kubernetes", "ecs")),
    ],
)
async def test_a_server_takes_what_is_this_installations(pool, variables, deployed):
    assert await deployed(pool, variables) == (201, 201)


async def test_a_change_of_a_waiting_runs_variables_is_held_to_the_same_list(client, deployed):
    await deployed("docker", {})
    found = await client.read_deployment_by_name("movie-pipeline/plain-docker")
    run = await client.create_flow_run_from_deployment(found.id)

    with pytest.raises(PrefectHTTPStatusError) as refusal:
        await client.update_flow_run(run.id, job_variables={"volumes": ["/./run:/r"]})

    assert refusal.value.response.status_code == 422


@pytest.mark.parametrize(
    ("volume", "allowed"),
    [
        ("tmdb-movies-data", "tmdb-movies-data:/data"),
        ("{folder}/data", "{folder}/data:/data"),
        ("{folder}/./data/", "{folder}/data:/data"),
    ],
)
def test_the_volume_or_folder_that_is_set_is_the_only_one(volume, allowed, tmp_path):
    settings = load_settings(data_volume=volume.format(folder=tmp_path))

    variables = work_pool_template("docker", settings)["variables"]

    volumes = [allowed.format(folder=tmp_path)]
    assert variables["properties"]["volumes"]["items"] == {"type": "string", "enum": volumes}


def test_jobs_join_no_network_where_none_is_set():
    schema = work_pool_template("docker", load_settings())["variables"]

    assert validate({"networks": []}, schema) == []
    assert validate({"networks": ["tmdb-movies"]}, schema) != []


def test_the_variables_of_a_jobs_environment_are_all_among_those_allowed(monkeypatch):
    for name in STORE_VARIABLES:
        monkeypatch.setenv(name, "x")
    given = {name: getattr(load_settings(), name) for name in PASSED_ON}
    settings = load_settings(
        **given
        | {"lake_root": "s3://bucket/lake", "spark_master": "sc://spark:15002", "imdb_ratings": "/data/r"}
    )

    names = job_environment(settings).keys() | job_settings(retries=1)["environment"].keys()

    assert names <= set(variable_names())


async def test_a_docker_job_may_gain_no_privileges_whatever_its_variables(client):
    variables = DOCKER_VARIABLES | {"privileged": True, "container_create_kwargs": {"cap_add": ["ALL"]}}

    # As from a deployment that is older than the pool's schema.
    job = await DockerWorkerJobConfiguration.from_template_and_values(
        template("docker"), variables, client=client
    )

    assert job.model_dump(exclude_defaults=True) == {
        "image": "tmdb-movies-spark:latest",
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
        "stream_output": False,
        "container_create_kwargs": {
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges:true"],
            "init": True,
            "read_only": True,
            "tmpfs": {"/tmp": "exec,mode=1777", "/home/movies": "mode=1777"},
            "mounts": [{"Type": "volume", "Target": "/scratch"}],
            "pids_limit": 1024,
            "user": "1000:1000",
        },
    }
    assert set(job.container_create_kwargs) <= {*RUN_CREATE_KWARGS, *RUN_HOST_CONFIG_KWARGS}


async def test_a_docker_job_without_variables_mounts_nothing(client):
    job = await DockerWorkerJobConfiguration.from_template_and_values(template("docker"), {}, client=client)

    assert (job.image, job.mem_limit, job.volumes, job.privileged) == (
        "tmdb-movies-flow:latest",
        "2g",
        [],
        False,
    )


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
