"""What the jobs of deployments get from the environment of whoever deploys them; a step in `prefect.yaml`."""

from __future__ import annotations

import os
import stat
from typing import TypedDict

from flows.run_settings import EnvironmentKeys
from settings import Settings, SettingsError, is_signed, load_settings, master_secrets, parse_path
from spark.container import memory_limit

DATA = "/data"
DATA_FOLDERS = ("lake", "results", "output")
JOB_USER = 1000
PREFECT_HOME = "/home/movies/.prefect"
HEARTBEAT_SECONDS = 30
RETRY_DELAY_SECONDS = 30
# Python, Arrow and Matplotlib, beside the JVM that Spark runs in.
FLOW_BYTES = 512 * 2**20
# Settings that mean the same in a job as here. Keys come from Secret blocks, and folders are the image's.
PASSED_ON = (
    "tmdb_base_url",
    "tmdb_exports_url",
    "ingestion_movie_ids",
    "ingestion_concurrency",
    "ingestion_requests_per_second",
    "ingestion_batch_size",
    "ingestion_max_retries",
    "ingestion_outage_minutes",
    "ingestion_max_age_days",
    # A path is one of the job's, such as `/data/title.ratings.tsv.gz`.
    "imdb_ratings",
    "spark_driver_memory",
    "spark_executor_memory",
    "spark_app_name",
    "spark_cores",
    "plot_theme",
)
# Where an object store is. Its keys are a role's or a secret of the work pool's: job variables can be seen.
STORE_VARIABLES = (
    "AWS_ENDPOINT_URL",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ALLOW_HTTP",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
    # Prefect's results, in a block such as `s3-bucket/movie-results`.
    "PREFECT_RESULTS_DEFAULT_STORAGE_BLOCK",
)


class JobSettings(TypedDict):
    """What `prefect.yaml` puts into a deployment's job variables, and into the build of its image."""

    build_arguments: dict[str, str]
    volumes: list[str]
    networks: list[str]
    environment: dict[str, str]
    spark_memory_limit: str


def job_settings(retries: int = 0) -> JobSettings:
    """Read `DATA_VOLUME`, `JOB_NETWORK`, `OBJECT_STORE` and the settings that jobs share.

    Args:
        retries: how often a flow run that failed is tried again in its container.

    Raises:
        SettingsError: one of them cannot be used.
    """
    # The key that a base URL asks for may be in a Secret block alone, which this has no need to read.
    key = None if EnvironmentKeys().any_set else "in-a-secret-block"
    settings = load_settings(tmdb_api_key=key)
    return JobSettings(
        build_arguments={"OBJECT_STORE": os.environ.get("OBJECT_STORE", "")},
        volumes=[f"{data_volume(settings.data_volume)}:{DATA}"],
        networks=[settings.job_network] if settings.job_network else [],
        environment=job_environment(settings) | _retries(retries),
        spark_memory_limit=str(memory_limit(settings.spark_driver_memory) + FLOW_BYTES),
    )


def job_environment(settings: Settings) -> dict[str, str]:
    """The variables of a job's container, none of them a secret."""
    environment = {
        "PREFECT_HOME": PREFECT_HOME,  # a worker hands its own on where the job has none
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_SECONDS),
    }
    for name in PASSED_ON:
        if name in settings.model_fields_set:
            value = getattr(settings, name)
            if isinstance(value, str) and is_signed(value):
                continue  # job variables can be seen
            text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
            environment[name.upper()] = text
    environment |= {name: os.environ[name] for name in STORE_VARIABLES if name in os.environ}
    if "://" in settings.lake:
        environment["LAKE_ROOT"] = settings.lake
    # Another engine of this machine is none of a container's; a server may be anybody's.
    if settings.spark_master.startswith("sc://") and not master_secrets(settings.spark_master):
        environment["SPARK_MASTER"] = settings.spark_master
    return environment


def data_volume(volume: str) -> str:
    """The volume's name, or the folder's path, with the folders that jobs write made in it."""
    if not volume.startswith(("/", ".", "~")):
        return volume
    try:
        folder = parse_path(volume)
    except ValueError as error:
        raise SettingsError(f"DATA_VOLUME: {error}") from error
    for name in DATA_FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    # Jobs run as a user of their own, whom this machine need not know.
    if folder.stat().st_uid != JOB_USER:
        folder.chmod(folder.stat().st_mode | stat.S_IXOTH)
        for name in DATA_FOLDERS:
            (folder / name).chmod(0o777)
    return str(folder)


def _retries(retries: int) -> dict[str, str]:
    if not retries:
        return {}
    return {
        "PREFECT_FLOWS_DEFAULT_RETRIES": str(retries),
        "PREFECT_FLOWS_DEFAULT_RETRY_DELAY_SECONDS": str(RETRY_DELAY_SECONDS),
    }
