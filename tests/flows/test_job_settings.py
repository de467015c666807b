import os
import stat
from pathlib import Path

import pytest

from flows.job_settings import job_settings

HEARTBEAT = {"PREFECT_HOME": "/home/movies/.prefect", "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30"}


@pytest.fixture(autouse=True)
def no_settings(monkeypatch, tmp_path):
    foreign = (
        "TMDB_",
        "INGESTION_",
        "IMDB_",
        "SPARK_",
        "LAKE_ROOT",
        "OUTPUT_DIR",
        "PLOT_THEME",
        "DATA_VOLUME",
        "JOB_NETWORK",
        "AWS_",
        "OBJECT_STORE",
    )
    for name in [name for name in os.environ if name.startswith(foreign)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_without_settings_jobs_share_a_named_volume():
    assert job_settings() == {
        "build_arguments": {"OBJECT_STORE": ""},
        "volumes": ["tmdb-movies-data:/data"],
        "networks": [],
        "environment": HEARTBEAT,
        "spark_memory_limit": str((1024 + 768 + 512) * 2**20),
    }


def test_jobs_get_what_is_set_here_but_no_key_no_folder_and_no_engine_of_this_machine(monkeypatch):
    for name, value in {
        "TMDB_API_KEY": "secret",
        "TMDB_BASE_URL": "http://127.0.0.1:1/3",
        "INGESTION_MOVIE_IDS": "3,1,2",
        "INGESTION_REQUESTS_PER_SECOND": "20",
        "IMDB_RATINGS": "/data/title.ratings.tsv.gz",
        "SPARK_MASTER": "local[*]",
        "SPARK_DRIVER_MEMORY": "4g",
        "SPARK_EXECUTOR_MEMORY": "2g",
        "SPARK_APP_NAME": "nightly",
        "PLOT_THEME": "dark",
        "LAKE_ROOT": "data",
        "OUTPUT_DIR": "somewhere",
        "JOB_NETWORK": "movies",
    }.items():
        monkeypatch.setenv(name, value)

    found = job_settings(retries=2)

    assert found["networks"] == ["movies"]
    assert found["environment"] == HEARTBEAT | {
        "TMDB_BASE_URL": "http://127.0.0.1:1/3",
        "INGESTION_MOVIE_IDS": "3,1,2",
        "INGESTION_REQUESTS_PER_SECOND": "20.0",
        "IMDB_RATINGS": "/data/title.ratings.tsv.gz",
        "SPARK_DRIVER_MEMORY": "4g",
        "SPARK_EXECUTOR_MEMORY": "2g",
        "SPARK_APP_NAME": "nightly",
        "PLOT_THEME": "dark",
        "PREFECT_FLOWS_DEFAULT_RETRIES": "2",
        "PREFECT_FLOWS_DEFAULT_RETRY_DELAY_SECONDS": "30",
    }
    assert found["spark_memory_limit"] == str((4 * 1024 + 1024 + 512) * 2**20)


def test_a_store_and_a_spark_server_are_the_same_for_jobs_unless_a_token_would_be_seen(monkeypatch):
    monkeypatch.setenv("OBJECT_STORE", "s3")
    monkeypatch.setenv("LAKE_ROOT", "s3://bucket/lake")
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("SPARK_MASTER", "sc://spark:15002")
    assert job_settings()["build_arguments"] == {"OBJECT_STORE": "s3"}
    assert job_settings()["environment"] == HEARTBEAT | {
        "AWS_REGION": "eu-north-1",
        "LAKE_ROOT": "s3://bucket/lake",
        "SPARK_MASTER": "sc://spark:15002",
    }

    monkeypatch.setenv("SPARK_MASTER", "sc://spark:15002/;token=secret")
    assert job_settings()["environment"] == HEARTBEAT | {
        "AWS_REGION": "eu-north-1",
        "LAKE_ROOT": "s3://bucket/lake",
    }


def test_a_base_url_needs_no_key_here_since_it_may_be_in_a_secret_block(monkeypatch):
    monkeypatch.setenv("TMDB_BASE_URL", "http://127.0.0.1:1/3")

    assert job_settings()["environment"]["TMDB_BASE_URL"] == "http://127.0.0.1:1/3"


def test_a_host_folder_is_made_with_places_that_a_job_may_write(monkeypatch, tmp_path):
    monkeypatch.setenv("DATA_VOLUME", "./volume")
    (tmp_path / "volume").mkdir(mode=0o700)

    assert job_settings()["volumes"] == [f"{tmp_path}/volume:/data"]

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in Path("volume").iterdir()}
    assert modes == {"lake": 0o777, "results": 0o777, "output": 0o777}
    assert stat.S_IMODE(Path("volume").stat().st_mode) == 0o701
