"""What an error says and which exit status it has (contract, section 1)."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from movies.lake.errors import describe_refusal, find_refusal
from movies.project import OWN_PACKAGES

if TYPE_CHECKING:
    from movies.settings import Settings

OK, FAILED, USAGE = 0, 1, 2
LONGEST_SENTENCE = 300
# A disk with less room than this counts as full.
LITTLE_BYTES = 1_000_000
# A path in the text of a library that is not written in Python: up to what follows it there.
_PATH = re.compile(r"(?<![\w/])/(?!/)[^\s:'\"]+")


class FolderError(Exception):
    """A folder or file refuses to be used, as on a full disk; the text says which, and what to do."""


def status(error: Exception) -> int:
    """The exit status of a command that ends with an error, which knows whether it is of wrong usage."""
    return USAGE if getattr(error, "is_usage", False) else FAILED


def sentence(error: Exception) -> str:
    """What went wrong, in the words of our own errors; of others, the kind and the first line."""
    text = ". ".join([str(error), *getattr(error, "__notes__", [])])
    if is_own(error):
        return text
    return f"{type(error).__name__}: {text.partition(chr(10))[0][:LONGEST_SENTENCE]}"


def explained(error: Exception, settings: Settings | None = None) -> Exception:
    """Return the error, or the one that says which folder or file refuses to be used if that is the cause.

    The folders of the settings are looked at if the error names none.
    """
    if is_own(error) or (refusal := find_refusal(error)) is None:
        return error
    path = getattr(error, "filename", None) or next(iter(_PATH.findall(str(error))), None)
    if path is None and refusal in (errno.EACCES, errno.EPERM):
        return error  # a socket refuses in these words, too
    cause = _name_folder(path, refusal, settings)
    cause.__cause__ = error
    return cause


def _name_folder(path: str | bytes | None, refusal: int, settings: Settings | None) -> FolderError:
    if path is None:
        folders = _refusing_folders(refusal, settings)
    else:
        place = Path(os.fsdecode(path))
        # Unlike those of `Path`, these answer also below a folder that lets this user not in.
        if os.path.isfile(place) and refusal in (errno.EACCES, errno.EPERM):  # noqa: PTH113
            return FolderError(f"{place} cannot be used: {os.strerror(refusal)}. Change its permissions")
        folders = [place if os.path.isdir(place) else place.parent]  # noqa: PTH112
    return FolderError(f"{' or '.join(map(str, folders))} cannot be used: {describe_refusal(refusal)}")


def _refusing_folders(refusal: int, settings: Settings | None) -> list[Path]:
    """The folders of a run that are full, or cannot be written; all of them if none seems to be so."""
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
    """Whether another try may succeed; of own errors their class says so, others are not known."""
    return bool(getattr(error, "is_temporary", not is_own(error)))


def is_own(error: BaseException) -> bool:
    """Whether the project raised it itself, with a text that is for people."""
    return package_of(error) in OWN_PACKAGES


def package_of(error: BaseException) -> str:
    return type(error).__module__.partition(".")[0]
