"""The settings that the jobs of deployments get from the deploying environment; a step in `prefect.yaml`."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path
from typing import TypedDict

from flows.run_settings import EnvironmentKeys
from movies.settings import (
    Settings,
    SettingsError,
    is_signed,
    load_settings,
    master_secrets,
    parse_path,
)
from spark.engines.container import memory_limit

PROJECT = Path(__file__).parent.parent
DATA = "/data"
DATA_FOLDERS = ("lake", "sandbox", "results", "output")
# The user of the images.
JOB_USER = 1000
PREFECT_HOME = "/tmp/prefect"
HEARTBEAT_SECONDS = 30
RETRY_DELAY_SECONDS = 30
# Python, Arrow and Matplotlib, beside the JVM that Spark runs in.
FLOW_BYTES = 512 * 2**20
# Settings with the same meaning in a job. Keys come from Secret blocks, and folders from the image.
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
    # A path in the job's container, such as `/data/title.ratings.tsv.gz`.
    "imdb_ratings",
    "spark_driver_memory",
    "spark_executor_memory",
    "spark_app_name",
    "spark_cores",
    "plot_theme",
)
# The address of an object store. Its keys come from a role or a secret, because job variables are visible.
STORE_VARIABLES = (
    "AWS_ENDPOINT_URL",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ALLOW_HTTP",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
    # Prefect's results, in a block such as `s3-bucket/movie-results`.
    "PREFECT_RESULTS_DEFAULT_STORAGE_BLOCK",
)
# The address of Prefect's UI, to which log lines of jobs link.
UI_VARIABLE = "PREFECT_UI_URL"
# Other allowed variables; a work pool rejects the rest (deployments/work_pool.py).
OTHER_VARIABLES = (
    "PREFECT_HOME",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY",
    "PREFECT_FLOWS_DEFAULT_RETRIES",
    "PREFECT_FLOWS_DEFAULT_RETRY_DELAY_SECONDS",
    "PREFECT_LOGGING_LEVEL",
    UI_VARIABLE,
    "LAKE_ROOT",
    "SPARK_MASTER",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
)


class JobSettings(TypedDict):
    """The values for a deployment's job variables, and for the build of its image."""

    build_arguments: dict[str, str]
    volumes: list[str]
    networks: list[str]
    user: str
    environment: dict[str, str]
    spark_memory_limit: str


def job_settings(retries: int = 0) -> JobSettings:
    """Read `DATA_VOLUME`, `JOB_NETWORK`, `OBJECT_STORE` and the settings that jobs share.

    Args:
        retries: how often a failed flow run is tried again in its container, if that may help.

    Raises:
        SettingsError: one of them is not valid.
    """
    # The key that a base URL needs may be in a Secret block, which is not read here.
    key = None if EnvironmentKeys().any_set else "in-a-secret-block"
    settings = load_settings(tmdb_api_key=key)
    volume, user = data_volume(settings.data_volume, settings.data_user)
    return JobSettings(
        build_arguments={"OBJECT_STORE": os.environ.get("OBJECT_STORE", ""), "REVISION": revision()},
        volumes=[f"{volume}:{DATA}"],
        networks=[settings.job_network] if settings.job_network else [],
        user=user,
        environment=job_environment(settings) | _retries(retries),
        spark_memory_limit=str(memory_limit(settings.spark_driver_memory) + FLOW_BYTES),
    )


def variable_names() -> list[str]:
    """List the variables that a job's container may have; keys are not among them."""
    return sorted({*(name.upper() for name in PASSED_ON), *STORE_VARIABLES, *OTHER_VARIABLES})


def job_environment(settings: Settings) -> dict[str, str]:
    """Return the variables of a job's container, without secrets."""
    environment = {
        "PREFECT_HOME": PREFECT_HOME,  # a worker passes on its own if the job has none
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_SECONDS),
    }
    for name in PASSED_ON:
        if name in settings.model_fields_set:
            value = getattr(settings, name)
            if isinstance(value, str) and is_signed(value):
                continue  # job variables are visible
            text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
            environment[name.upper()] = text
    environment |= {name: os.environ[name] for name in STORE_VARIABLES if name in os.environ}
    if settings.lake_root is not None:
        environment["LAKE_ROOT"] = _lake_of_jobs(settings.lake_root)
    if url := os.environ.get(UI_VARIABLE):
        # An address to listen on is not an address to connect to.
        environment[UI_VARIABLE] = url.replace("//0.0.0.0:", "//127.0.0.1:")
    # A local engine of this machine is not available in a container; a server is.
    if settings.spark_master.startswith("sc://") and not master_secrets(settings.spark_master):
        environment["SPARK_MASTER"] = settings.spark_master
    return environment


def _lake_of_jobs(lake_root: str) -> str:
    if "://" not in lake_root and not Path(os.path.normpath(lake_root)).is_relative_to(DATA):
        raise SettingsError(
            f"LAKE_ROOT: {lake_root} is a folder of this machine, and jobs store only files below {DATA}. "
            f"Give one below {DATA}, a URL, or none: DATA_VOLUME says where {DATA} is"
        )
    return lake_root


def revision() -> str:
    """Return the commit that images are built from, `-dirty` if files differ; empty without a checkout."""
    command = ["git", "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    try:
        return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def is_folder(volume: str) -> bool:
    """Whether `DATA_VOLUME` is a folder and not the name of a Docker volume."""
    return volume.startswith(("/", ".", "~"))


def data_volume(volume: str, user: str | None = None) -> tuple[str, str]:
    """Return where the data are, and their owner, as whom jobs run.

    A folder and the folders that jobs write are created, unless its owner is set: then the folder may be on
    another machine.

    Returns:
        The volume's name, or the folder's path; and the user as `uid:gid`.
    """
    if not is_folder(volume):
        return volume, user or f"{JOB_USER}:{JOB_USER}"
    if user is not None:
        if not volume.startswith("/"):
            raise SettingsError(f"DATA_VOLUME: {volume} is a relative path. Give an absolute one")
        return os.path.normpath(volume), user
    try:
        folder = Path(os.path.normpath(parse_path(volume)))
    except ValueError as error:
        raise SettingsError(f"DATA_VOLUME: {error}") from error
    try:
        return str(folder), _make_folders(folder)
    except OSError as error:
        raise SettingsError(f"DATA_VOLUME: {error.filename} cannot be made: {error.strerror}") from error


def lakes_of_jobs(settings: Settings) -> tuple[str, str]:
    """Return the lakes of real and of sandbox movies, as paths in this process."""
    volume = settings.data_volume
    if settings.data_user is not None or not is_folder(volume):
        return settings.real_lake, settings.sandbox_lake
    folder = parse_path(volume)
    return str(folder / "lake"), str(folder / "sandbox")


def _make_folders(folder: Path) -> str:
    """Create the folders that jobs write, for the user of the jobs; return that user."""
    folder.mkdir(parents=True, exist_ok=True)
    places = [folder / name for name in DATA_FOLDERS]
    uid, gid = _owner(folder, places)
    for place in places:
        place.mkdir(exist_ok=True)
        if place.stat().st_uid == uid:
            continue
        if os.geteuid() == 0:
            os.chown(place, uid, gid)
        else:
            # Jobs of version 0.1.0 ran as another user, who owns these files.
            place.chmod(0o777)
    if folder.stat().st_uid != uid:
        folder.chmod(folder.stat().st_mode | stat.S_IXOTH)
    return f"{uid}:{gid}"


def _owner(folder: Path, places: list[Path]) -> tuple[int, int]:
    """Return the owner of earlier files, else of the folder; the images' user instead of root."""
    written = (entry for place in places if place.is_dir() for entry in place.iterdir())
    owner = next(written, folder).stat()
    return (owner.st_uid, owner.st_gid) if owner.st_uid else (JOB_USER, JOB_USER)


def _retries(retries: int) -> dict[str, str]:
    if not retries:
        return {}
    return {
        "PREFECT_FLOWS_DEFAULT_RETRIES": str(retries),
        "PREFECT_FLOWS_DEFAULT_RETRY_DELAY_SECONDS": str(RETRY_DELAY_SECONDS),
    }
