"""The message and the exit status of an error."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from movies.lake.lake_errors import describe_refusal, find_refusal
from movies.project import OWN_PACKAGES

if TYPE_CHECKING:
    from movies.settings import Settings

OK, FAILED, USAGE = 0, 1, 2
LONGEST_SENTENCE = 300
# A disk with less free space than this counts as full.
LITTLE_BYTES = 1_000_000
# A path in the error text of a library that is not written in Python.
_PATH = re.compile(r"(?<![\w/])/(?!/)[^\s:'\"]+")


class FolderError(Exception):
    """A folder or file cannot be used, as on a full disk; the text says which, and what to do."""


def status(error: Exception) -> int:
    """Return the exit status of an error: USAGE if its class says `is_usage`, otherwise FAILED."""
    return USAGE if getattr(error, "is_usage", False) else FAILED


def sentence(error: Exception) -> str:
    """Return the message of one of the project's errors, or class and first line of another one."""
    text = ". ".join([str(error), *getattr(error, "__notes__", [])])
    if is_own(error):
        return text
    return f"{type(error).__name__}: {text.partition(chr(10))[0][:LONGEST_SENTENCE]}"


def explained(error: Exception, settings: Settings | None = None) -> Exception:
    """Return a FolderError that names the folder or file if that is the cause, otherwise the error itself.

    If the error names no path, the folders of the settings are checked.
    """
    if is_own(error) or (refusal := find_refusal(error)) is None:
        return error
    path = getattr(error, "filename", None) or next(iter(_PATH.findall(str(error))), None)
    if path is None and refusal in (errno.EACCES, errno.EPERM):
        return error  # sockets raise the same errors
    cause = _name_folder(path, refusal, settings)
    cause.__cause__ = error
    return cause


def _name_folder(path: str | bytes | None, refusal: int, settings: Settings | None) -> FolderError:
    if path is None:
        folders = _refusing_folders(refusal, settings)
    else:
        place = Path(os.fsdecode(path))
        # Unlike the methods of `Path`, these work below a folder that this user cannot enter.
        if os.path.isfile(place) and refusal in (errno.EACCES, errno.EPERM):  # noqa: PTH113
            return FolderError(f"{place} cannot be used: {os.strerror(refusal)}. Change its permissions")
        folders = [place if os.path.isdir(place) else place.parent]  # noqa: PTH112
    return FolderError(f"{' or '.join(map(str, folders))} cannot be used: {describe_refusal(refusal)}")


def _refusing_folders(refusal: int, settings: Settings | None) -> list[Path]:
    """Return the folders of a run that are full or cannot be written, or all of them if none is found."""
    folders = [Path(tempfile.gettempdir())]
    if settings is not None:
        lake = [] if "://" in settings.lake else [Path(settings.lake)]
        folders = [*lake, settings.output_dir, *folders]
    is_full = refusal in (errno.ENOSPC, errno.EDQUOT)

    def refuses(folder: Path) -> bool:
        there = next(place for place in (folder, *folder.parents) if place.exists())
        return shutil.disk_usage(there).free < LITTLE_BYTES if is_full else not os.access(there, os.W_OK)

    return [folder for folder in folders if refuses(folder)] or folders


def is_temporary(error: Exception) -> bool:
    """Whether another try may succeed: the project's errors say so, of others it is assumed."""
    return bool(getattr(error, "is_temporary", not is_own(error)))


def is_own(error: BaseException) -> bool:
    """Whether the error is one of the project's, whose text is meant for users."""
    return package_of(error) in OWN_PACKAGES


def package_of(error: BaseException) -> str:
    return type(error).__module__.partition(".")[0]
