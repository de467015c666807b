"""What the jobs of deployments get from the environment of whoever deploys them; a step in `prefect.yaml`."""

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
# The images' own.
JOB_USER = 1000
PREFECT_HOME = "/tmp/prefect"
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
# What log lines of jobs link to: where a browser finds Prefect's UI.
UI_VARIABLE = "PREFECT_UI_URL"
# What else a job may be told; a work pool refuses all other variables (deployments/work_pool.py).
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
    """What `prefect.yaml` puts into a deployment's job variables, and into the build of its image."""

    build_arguments: dict[str, str]
    volumes: list[str]
    networks: list[str]
    user: str
    environment: dict[str, str]
    spark_memory_limit: str


def job_settings(retries: int = 0) -> JobSettings:
    """Read `DATA_VOLUME`, `JOB_NETWORK`, `OBJECT_STORE` and the settings that jobs share.

    Args:
        retries: how often a flow run that failed is tried again in its container, if that may help.

    Raises:
        SettingsError: one of them cannot be used.
    """
    # The key that a base URL asks for may be in a Secret block alone, which this has no need to read.
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
    """The names of all variables that a job's container may be given; no name of a key is among them."""
    return sorted({*(name.upper() for name in PASSED_ON), *STORE_VARIABLES, *OTHER_VARIABLES})


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
    if settings.lake_root is not None:
        environment["LAKE_ROOT"] = _lake_of_jobs(settings.lake_root)
    if url := os.environ.get(UI_VARIABLE):
        # An address to listen at is none to go to.
        environment[UI_VARIABLE] = url.replace("//0.0.0.0:", "//127.0.0.1:")
    # Another engine of this machine is none of a container's; a server may be anybody's.
    if settings.spark_master.startswith("sc://") and not master_secrets(settings.spark_master):
        environment["SPARK_MASTER"] = settings.spark_master
    return environment


def _lake_of_jobs(lake_root: str) -> str:
    if "://" not in lake_root and not Path(os.path.normpath(lake_root)).is_relative_to(DATA):
        raise SettingsError(
            f"LAKE_ROOT: {lake_root} is a folder of this machine, and jobs keep only what lies below {DATA}. "
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
    """Whether `DATA_VOLUME` is a folder, not the name of a volume of Docker's."""
    return volume.startswith(("/", ".", "~"))


def data_volume(volume: str, user: str | None = None) -> tuple[str, str]:
    """Where the data are, and who owns them: jobs run as that user.

    A folder of this machine is made, with the folders that jobs write, unless its owner is given: then it may
    be one of another machine.

    Returns:
        The volume's name, or the folder's path; and the user as `uid:gid`.
    """
    if not is_folder(volume):
        return volume, user or f"{JOB_USER}:{JOB_USER}"
    if user is not None:
        if not volume.startswith("/"):
            raise SettingsError(
                f"DATA_VOLUME: {volume} begins at another folder in each process. Give the whole path"
            )
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
    """Where the lakes of real and of sandbox movies lie, as this process sees them."""
    volume = settings.data_volume
    if settings.data_user is not None or not is_folder(volume):
        return settings.real_lake, settings.sandbox_lake
    folder = parse_path(volume)
    return str(folder / "lake"), str(folder / "sandbox")


def _make_folders(folder: Path) -> str:
    """Make the folders that jobs write, for the user that they run as; return that user."""
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
            # Jobs of version 0.1.0 ran as a user of their own, whose files are here.
            place.chmod(0o777)
    if folder.stat().st_uid != uid:
        folder.chmod(folder.stat().st_mode | stat.S_IXOTH)
    return f"{uid}:{gid}"


def _owner(folder: Path, places: list[Path]) -> tuple[int, int]:
    """Whoever has written here before, else the folder's owner; in place of root, the images' user."""
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
