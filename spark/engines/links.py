"""Symbolic links to folders with names that the embedded engine cannot use.

Below a folder with another character in its name, pysail 0.7 finds no table, and may write files to another
folder. Apache Spark accepts every name.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from spark.spark_errors import EngineUnavailable

PLAIN = re.compile(r"[\w/.+=@,~:;&'()!$\\-]*", re.ASCII)
ADVICE = "named with letters from A to Z, digits, - and _"


def is_plain(path: str) -> bool:
    """Return whether the embedded engine accepts a path."""
    # The engine does not find a folder named `~`, wherever it is in the path.
    return PLAIN.fullmatch(path) is not None and "~" not in path.split("/")


def plain_temporary_place() -> str:
    """Return the first folder for temporary files whose name the embedded engine accepts.

    Raises:
        EngineUnavailable: there is no such folder.
    """
    for place in (tempfile.gettempdir(), "/tmp", "/var/tmp", str(Path.home())):
        if is_plain(place) and Path(place).is_dir() and os.access(place, os.W_OK | os.X_OK):
            return place
    raise EngineUnavailable(
        f"The embedded engine cannot use the temporary folder {tempfile.gettempdir()}. "
        f"Set TMPDIR to a folder {ADVICE}."
    )


def temporary_folder(place: str | None = None) -> tempfile.TemporaryDirectory[str]:
    """Make a folder that is deleted at the end of a `with` block."""
    return tempfile.TemporaryDirectory(prefix="tmdb-movies-", ignore_cleanup_errors=True, dir=place)


def plain_path(path: str, links: str) -> str:
    """Return a path to the same folder that the embedded engine accepts, if needed by a link in `links`.

    Raises:
        EngineUnavailable: the link cannot be made.
    """
    if "://" in path:
        url = urlsplit(path)
        if url.scheme != "file":
            return path
        path = url2pathname(url.path)
    folder = Path(path).absolute()
    odd = next((part for part in (folder, *folder.parents) if not is_plain(part.name)), None)
    if odd is None:
        return str(folder)
    link = Path(links) / hashlib.sha256(os.fsencode(odd)).hexdigest()[:16]
    try:
        with suppress(FileExistsError):
            link.symlink_to(odd, target_is_directory=True)
    except OSError as error:
        raise EngineUnavailable(
            f"The embedded engine cannot use the folder {odd}, and no link to it can be made: "
            f"{error.strerror or error}. Set LAKE_ROOT to a folder {ADVICE}."
        ) from error
    return str(link / folder.relative_to(odd))
