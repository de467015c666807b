"""What a job in a container would write in vain, or must not read, is refused; elsewhere nothing is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import flows.places
from flows.places import CONTAINER_VARIABLE, PlaceError, check_job_places, check_job_settings
from movies.settings import load_settings
from tests.conftest import PROJECT_ROOT

# A job's container with the data volume, as Docker makes it, and a folder on the host with a space.
MOUNTS = """\
593 451 0:54 / / rw,relatime master:245 - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/A
594 593 0:57 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
595 593 0:58 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k,mode=755
599 595 0:60 / /dev/shm rw,nosuid,nodev,noexec,relatime - tmpfs shm rw,size=65536k
600 593 0:61 / /sys ro,nosuid,nodev,noexec,relatime - sysfs sysfs ro
601 593 8:1 /var/lib/docker/containers/f/hosts {etc}/hosts rw,relatime - ext4 /dev/sda1 rw
602 593 8:1 /var/lib/docker/volumes/tmdb-movies-data/_data {data} rw,relatime master:1 - ext4 /dev/sda1 rw
603 602 0:62 / {data}/memory rw,relatime - tmpfs tmpfs rw
604 593 8:1 /srv/x {other} rw,relatime - ext4 /dev/sda1 rw
605 593 8:1 /var/lib/docker/volumes/0a1b/_data {scratch} rw,relatime - ext4 /dev/sda1 rw
"""


@pytest.fixture
def container(tmp_path, monkeypatch) -> Path:
    """A job's container whose data volume, and another folder, are below a folder of the test's."""
    data, other, etc, scratch = (tmp_path / name for name in ("data", "with space", "etc", "scratch"))
    for folder in (data, other, etc, scratch, data / "memory"):
        folder.mkdir()
    (etc / "hosts").write_text("127.0.0.1 localhost\n")
    mounts = tmp_path / "mountinfo"
    escaped = str(other).replace(" ", r"\040")
    mounts.write_text(MOUNTS.format(data=data, other=escaped, etc=etc, scratch=scratch))
    monkeypatch.setattr(flows.places, "MOUNTS", mounts)
    monkeypatch.setattr(flows.places, "SCRATCH", str(scratch))
    monkeypatch.setenv(CONTAINER_VARIABLE, "1")
    return tmp_path


@pytest.mark.parametrize("name", ["lake_root", "output_dir"])
@pytest.mark.parametrize(
    "place",
    [
        "/tmp/lost",
        "lost",
        "{root}/data-2",
        "{root}/data/memory/lake",
        "{root}/scratch/lake",
        "/proc/lake",
        "{root}/link",
        "file:///tmp/lost",
    ],
)
def test_what_a_container_takes_along_is_no_place_to_write(name, place, container):
    (container / "link").symlink_to("/tmp")
    place = place.format(root=container)

    with pytest.raises(PlaceError) as error:
        check_job_places({name: place})

    shown = Path(place.removeprefix("file://")).resolve()
    assert str(error.value) == (
        f"{name.upper()}: files that a job writes to {shown} are lost with its container. Give a folder "
        "below a mounted one, such as /data"
    )


@pytest.mark.parametrize("name", ["movie_ids_file", "imdb_ratings"])
@pytest.mark.parametrize(
    "place", ["/proc/self/environ", "/etc/passwd", "{root}/etc/hosts", "/dev/stdin", "{root}/data/../secret"]
)
def test_a_job_reads_no_file_of_its_container(name, place, container):
    place = place.format(root=container)

    with pytest.raises(PlaceError, match=f"^{name}: a job cannot read "):
        check_job_places({name: place})


def test_what_a_mount_or_a_store_keeps_is_taken(container):
    data, other = container / "data", container / "with space"
    (container / "link").symlink_to(data)

    check_job_places({"lake_root": str(data / "lake"), "output_dir": other / "output"})
    check_job_places({"lake_root": "s3://bucket/movies", "output_dir": container / "link" / "output"})
    check_job_places({"movie_ids_file": data / "ids.txt", "imdb_ratings": "https://imdb.example/r.gz"})
    check_job_places({"lake_root": None, "imdb_ratings": "", "source": "ids"})


def test_the_scratch_folder_is_that_of_the_work_pool():
    template = json.loads((PROJECT_ROOT / "deployments" / "work_pools" / "docker.json").read_text())

    [mount] = template["job_configuration"]["container_create_kwargs"]["mounts"]
    assert mount == {"Type": "volume", "Target": flows.places.SCRATCH}


def test_on_a_machine_nothing_is_refused(container, monkeypatch):
    monkeypatch.delenv(CONTAINER_VARIABLE)

    check_job_places({"lake_root": "/tmp/lost", "output_dir": "/tmp/lost", "movie_ids_file": "/etc/hosts"})


def test_variables_of_a_job_are_held_to_the_same(container, monkeypatch):
    monkeypatch.chdir(container)
    kept = {"lake_root": str(container / "data" / "lake"), "output_dir": str(container / "data" / "output")}
    for given in ({"lake_root": "lost"}, {"output_dir": "lost"}, {"imdb_ratings": "/etc/passwd"}):
        settings = load_settings(**kept | given)
        with pytest.raises(PlaceError):
            check_job_settings(settings)
    # With a lake in a store there may be no volume: then the report is in Prefect's UI alone.
    check_job_settings(load_settings(lake_root="s3://bucket/movies", output_dir="lost"))
