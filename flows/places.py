"""Check the folders and files of a job: only mounted folders and stores outlive its container."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from movies.settings import Settings, SettingsError

# Set by the images of this project; outside of them nothing is checked.
CONTAINER_VARIABLE = "MOVIES_CONTAINER"
MOUNTS = Path("/proc/self/mountinfo")
# File systems of the kernel or in memory.
NOT_KEPT = {
    *("proc", "sysfs", "tmpfs", "ramfs", "devtmpfs", "devpts", "mqueue", "cgroup", "cgroup2"),
    *("bpf", "debugfs", "tracefs", "securityfs", "configfs", "fusectl", "hugetlbfs", "pstore", "binfmt_misc"),
}
# A volume that is removed with the container (deployments/work_pools/docker.json).
SCRATCH = "/scratch"
WRITTEN = ("lake_root", "output_dir")
READ = ("movie_ids_file", "imdb_ratings")


class PlaceError(SettingsError):
    """A job cannot write to or read from this path in its container (exit status 2)."""


@dataclass(frozen=True)
class Mount:
    """One line of `/proc/self/mountinfo`."""

    point: str
    kind: str

    @property
    def keeps_files(self) -> bool:
        """Whether a folder is mounted into the container there, and not a single file."""
        return self.point not in ("/", SCRATCH) and self.kind not in NOT_KEPT and Path(self.point).is_dir()


def is_in_container() -> bool:
    """Whether this process runs in an image of the project's."""
    return bool(os.environ.get(CONTAINER_VARIABLE))


def check_job_places(given: Mapping[str, Any]) -> None:
    """Reject paths at which a job's files would be lost with its container, or that it must not read.

    Raises:
        PlaceError: a place to write is on the container's own layer or in memory, or a file to read is not
            below a mounted folder.
    """
    if not is_in_container():
        return
    for name in (*WRITTEN, *READ):
        path = _local_path(given.get(name))
        if path is None or _is_kept(path):
            continue
        if name in WRITTEN:
            raise PlaceError(
                f"{name.upper()}: files that a job writes to {path} are lost with its container. Give a "
                "folder below a mounted one, such as /data"
            )
        raise PlaceError(
            f"{name}: a job cannot read {path}. Put the file below a mounted folder, such as /data"
        )


def check_job_settings(settings: Settings) -> None:
    """Reject paths in settings likewise.

    A job whose lake is in a store needs no mount: its report is then only in Prefect's UI.

    Raises:
        PlaceError: as above.
    """
    output_dir = settings.output_dir if _local_path(settings.lake) else None
    check_job_places(
        {"lake_root": settings.lake, "output_dir": output_dir, "imdb_ratings": settings.imdb_ratings}
    )


def _local_path(place: object) -> str | None:
    """Return the path with its links resolved; None for no path or for a URL of another machine."""
    text = str(place or "").strip()
    if not text:
        return None
    if "://" in text:
        url = urlsplit(text)
        if url.scheme != "file":
            return None
        text = unquote(url.path)
    return os.path.realpath(Path(text).expanduser())


def _is_kept(path: str) -> bool:
    # If two mounts have the same point, the later one hides the other.
    holding = [mount for mount in _read_mounts() if _is_below(path, mount.point)]
    nearest = max(enumerate(holding), key=lambda found: (len(found[1].point), found[0]), default=None)
    return nearest is not None and nearest[1].keeps_files


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _read_mounts() -> Iterator[Mount]:
    """List the mounts of this process (`man 5 proc_pid_mountinfo`)."""
    for line in MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        before, _, after = line.partition(" - ")
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), before.split(" ")[4])
        yield Mount(point, after.split(" ")[0])
