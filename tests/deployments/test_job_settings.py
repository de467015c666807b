import os
import stat
import subprocess
from pathlib import Path

import pytest

import deployments.job_settings
from deployments.job_settings import job_settings
from movies.settings import SettingsError

HEARTBEAT = {"PREFECT_HOME": "/tmp/prefect", "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30"}


@pytest.fixture(autouse=True)
def project(no_settings, monkeypatch):
    monkeypatch.setattr(deployments.job_settings, "PROJECT", no_settings)


def test_without_settings_jobs_share_a_named_volume():
    assert job_settings() == {
        "build_arguments": {"OBJECT_STORE": "", "REVISION": ""},
        "volumes": ["tmdb-movies-data:/data"],
        "networks": [],
        "user": "1000:1000",
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
        "LAKE_ROOT": "/data/nightly",
        "OUTPUT_DIR": "somewhere",
        "PREFECT_UI_URL": "http://0.0.0.0:4200",
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
        "LAKE_ROOT": "/data/nightly",
        "PREFECT_UI_URL": "http://127.0.0.1:4200",
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
    assert job_settings()["build_arguments"] == {"OBJECT_STORE": "s3", "REVISION": ""}
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


@pytest.mark.parametrize("lake", ["data", "/srv/lake", "/data/../srv"])
def test_a_lake_that_no_mount_keeps_is_refused(monkeypatch, lake):
    monkeypatch.setenv("LAKE_ROOT", lake)

    with pytest.raises(SettingsError, match=r"^LAKE_ROOT: .* jobs store only files below /data"):
        job_settings()


def test_a_host_folder_is_made_with_places_that_its_owner_alone_may_write(monkeypatch, tmp_path):
    monkeypatch.setenv("DATA_VOLUME", "./volume")
    volume = tmp_path / "volume"
    volume.mkdir(mode=0o700)
    # As root, which tests may be, a folder is given away; what is in it stays.
    uid = os.geteuid() or 1234
    os.chown(volume, uid, os.getegid())

    found = job_settings()

    assert (found["volumes"], found["user"]) == ([f"{volume}:/data"], f"{uid}:{os.getegid()}")
    places = {path.name: (path.stat().st_uid, stat.S_IMODE(path.stat().st_mode)) for path in volume.iterdir()}
    assert places == dict.fromkeys(("lake", "sandbox", "results", "output"), (uid, 0o755))
    assert stat.S_IMODE(volume.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files to another user")
def test_jobs_go_on_as_the_user_who_has_written_to_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("DATA_VOLUME", str(tmp_path / "volume"))
    (tmp_path / "volume" / "lake" / "raw").mkdir(parents=True)
    os.chown(tmp_path / "volume" / "lake" / "raw", 4321, 4321)

    assert job_settings()["user"] == "4321:4321"


def test_a_folder_whose_owner_is_given_is_left_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("DATA_VOLUME", "/srv/of-another-machine")
    monkeypatch.setenv("DATA_USER", "1500:100")

    found = job_settings()

    assert (found["volumes"], found["user"]) == (["/srv/of-another-machine:/data"], "1500:100")
    assert not Path("/srv/of-another-machine").exists()


def test_a_folder_of_another_machine_is_given_with_its_whole_path(monkeypatch):
    monkeypatch.setenv("DATA_USER", "1500:100")
    for folder in ("./data", "~/data"):
        monkeypatch.setenv("DATA_VOLUME", folder)
        with pytest.raises(
            SettingsError, match=f"^DATA_VOLUME: {folder} is a relative path. Give an absolute one"
        ):
            job_settings()


def test_a_folder_that_cannot_be_made_is_named(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DATA_VOLUME", f"{tmp_path}/file/volume")

    with pytest.raises(
        SettingsError, match=f"^DATA_VOLUME: {tmp_path}/file/volume cannot be made: Not a dir"
    ):
        job_settings()


def test_images_say_which_commit_they_are_built_from_and_whether_files_differ(tmp_path):
    def git(*arguments: str) -> str:
        settings = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
        command = ["git", *settings, *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    git("init")
    (tmp_path / "file").write_text("one")
    git("add", "file")
    git("commit", "-m", "first")
    git("tag", "-a", "v1", "-m", "one")
    commit = git("rev-parse", "HEAD").strip()

    assert job_settings()["build_arguments"]["REVISION"] == commit
    (tmp_path / "file").write_text("two")
    assert job_settings()["build_arguments"]["REVISION"] == f"{commit}-dirty"
