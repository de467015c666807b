"""`docker/compose.yaml`, read as a file: what of a shell reaches the jobs."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from deployments.job_settings import PASSED_ON, STORE_VARIABLES
from deployments.work_pool import image_names
from tests.conftest import PROJECT_ROOT

COMPOSE = yaml.safe_load((PROJECT_ROOT / "docker" / "compose.yaml").read_text())
CLUSTER = yaml.safe_load((PROJECT_ROOT / "docker" / "cluster.compose.yaml").read_text())
SETUP: dict[str, Any] = COMPOSE["services"]["setup"]["environment"]


def test_every_setting_that_goes_into_the_jobs_is_taken_from_the_shell_as_it_is() -> None:
    from_shell = {name for name, value in SETUP.items() if value is None}

    assert from_shell == {name.upper() for name in PASSED_ON} | {*STORE_VARIABLES, "LAKE_ROOT"}
    assert SETUP.keys() - from_shell == {
        "PREFECT_API_URL",
        "PREFECT_API_PASSWORD",
        "KEYS_FILE",
        "DATA_VOLUME",
        "DATA_USER",
        "PREFECT_UI_URL",
        "JOB_NETWORK",
        "SPARK_MASTER",
    }


def test_the_socket_proxy_lets_through_what_setup_writes_into_the_pool() -> None:
    allowed = COMPOSE["services"]["docker"]["environment"]

    assert allowed["JOB_IMAGES"].split() == image_names()
    assert {name: allowed[name] for name in ("DATA_VOLUME", "JOB_NETWORK")} == {
        name: SETUP[name] for name in ("DATA_VOLUME", "JOB_NETWORK")
    }


@pytest.mark.parametrize(
    ("name", "service"), [*COMPOSE["services"].items(), *CLUSTER["services"].items()], ids=str
)
def test_every_service_runs_without_privileges(name: str, service: dict[str, Any]) -> None:
    hardened = {key: service.get(key) for key in ("read_only", "cap_drop", "security_opt")}
    # Compose writes keys into their own layers: those two are short, and deleted or removed.
    takes_keys = name in ("setup", "movies")
    assert hardened == {
        "read_only": not takes_keys,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
    }
    assert 0 < service["pids_limit"] <= 1024
    assert not {"privileged", "pid", "ipc", "devices"} & service.keys()
    # What is said of them in SECURITY.md, and no other.
    more = {key: service[key] for key in ("user", "cap_add") if key in service}
    assert more == {
        "prepare": {"user": "root", "cap_add": ["CHOWN", "DAC_READ_SEARCH"]},
        "docker": {"user": "root"},
        "postgres": {"user": "postgres"},
        "spark": {"user": "${DATA_USER:-1000:1000}"},
        "setup": {"user": "${DATA_USER:-1000:1000}"},
    }.get(name, {"user": "${CLUSTER_USER:-1000:1000}"} if name in CLUSTER["services"] else {})


def test_the_spark_server_finds_the_store_that_the_jobs_find() -> None:
    store = {name for name in STORE_VARIABLES if name.startswith("AWS_")}

    assert COMPOSE["services"]["spark"]["environment"] == dict.fromkeys(store)


def test_no_secret_is_in_an_environment() -> None:
    environments = [service.get("environment", {}) for service in COMPOSE["services"].values()]
    secret = {
        "POSTGRES_PASSWORD",
        "TMDB_API_KEY",
        "TMDB_ACCESS_TOKEN",
        "NOTIFICATION_URL",
        "AWS_SECRET_ACCESS_KEY",
    }

    assert [secret & environment.keys() for environment in environments] == [set()] * len(environments)
