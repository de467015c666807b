"""`docker/compose.yaml`, read as a file: what of a shell reaches the jobs."""

from __future__ import annotations

from typing import Any

import yaml

from flows.job_settings import PASSED_ON, STORE_VARIABLES
from tests.conftest import PROJECT_ROOT

COMPOSE = yaml.safe_load((PROJECT_ROOT / "docker" / "compose.yaml").read_text())
SETUP: dict[str, Any] = COMPOSE["services"]["setup"]["environment"]


def test_every_setting_that_goes_into_the_jobs_is_taken_from_the_shell_as_it_is() -> None:
    from_shell = {name for name, value in SETUP.items() if value is None}

    assert from_shell == {name.upper() for name in PASSED_ON} | {*STORE_VARIABLES, "LAKE_ROOT"}
    with_default = {
        "DATA_VOLUME",
        "DATA_USER",
        "JOB_NETWORK",
        "PREFECT_API_URL",
        "PREFECT_UI_URL",
        "SPARK_MASTER",
    }
    assert SETUP.keys() - from_shell == with_default


def test_the_spark_server_finds_the_store_that_the_jobs_find() -> None:
    store = {name for name in STORE_VARIABLES if name.startswith("AWS_")}

    assert COMPOSE["services"]["spark"]["environment"] == dict.fromkeys(store)


def test_no_secret_is_in_an_environment() -> None:
    environments = [service.get("environment", {}) for service in COMPOSE["services"].values()]
    secret = {"TMDB_API_KEY", "TMDB_ACCESS_TOKEN", "NOTIFICATION_URL", "AWS_SECRET_ACCESS_KEY"}

    assert [secret & environment.keys() for environment in environments] == [set()] * len(environments)
