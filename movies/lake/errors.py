"""What can go wrong with the lake; every one of them stops the run, or the command.

* LakeError
  x LakeAccessError       a table cannot be read or written: an object store that is away, a broken log
    + StorageRefusedError because its disk is full, is read-only, or lets this user not in
  x FolderNameError       a folder has a name that Delta's library cannot work with
  x MixedSourcesError     sandbox movies and others would end in one lake
  x SchemaMismatchError   a table has other columns than this version declares
  x VersionGoneError      an older version of a table is not there any more
  x TableMissingError     a table that is asked for has not been made yet
  x QueryError            somebody's query is wrong, or does more than read
    + UnknownTableError   there is no table of that name
  x QueryStoppedError     a query has taken longer than it may
  x FilesMissingError     what an engine says to have written is not there
  x FilesLostError        a table has files that are missing or torn
  x OvertakenError        another run has changed what a change was made for
  x CopyRefusedError      (`lake.backup`) a lake cannot be copied there, or from there
  x CopyBrokenError       (`lake.backup`) a copy is not what it was made from
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit
from urllib.request import url2pathname

# How delta-rs joins an error to its cause.
_TERMINAL_ART = re.compile(r"\s*\x1b\[[0-9;]*m\W*\x1b\[[0-9;]*m")
# How Rust's libraries and Arrow write the number of the system's error.
_NUMBER = re.compile(r"(?:\(os error |\[errno |\bos \{ code: )(\d+)\b", re.IGNORECASE)
# What a folder refuses by, as the system numbers it, and what to do. Another try would be refused, too.
REFUSALS = {
    errno.ENOSPC: "Free space on its disk",
    errno.EDQUOT: "Free space within this user's quota",
    errno.EROFS: "Mount it so that it can be written",
    errno.EACCES: "Let this user read and write it",
    errno.EPERM: "Let this user read and write it",
}


class LakeError(Exception):
    """Base of all errors of this package."""


class LakeAccessError(LakeError):
    """A table cannot be read or written."""

    is_temporary = True


class StorageRefusedError(LakeAccessError):
    """A table cannot be read or written until its folder has space, or may be written; the text says how."""

    is_temporary = False


class FolderNameError(LakeError):
    """Tables cannot be kept in a folder of this name (exit status 2)."""

    is_usage = True


class MixedSourcesError(LakeError):
    """Movies from the sandbox and from elsewhere would end in one lake."""


class SchemaMismatchError(LakeError):
    """A table's columns are not those declared."""


class VersionGoneError(LakeError):
    """A table has no such version, or not all of its files."""


class TableMissingError(LakeError):
    """A table that is asked for has not been made yet."""


class QueryError(LakeError):
    """A query is wrong, or does more than read; the text says what of it (exit status 2)."""

    is_usage = True


class UnknownTableError(QueryError):
    """There is no table of that name."""


class QueryStoppedError(LakeError):
    """A query has taken longer than it may."""


class FilesMissingError(LakeError):
    """What an engine says to have written is not where the lake is."""

    is_temporary = True


class FilesLostError(LakeError):
    """Files of a table are missing or torn; the text says what brings them back."""


class OvertakenError(LakeError):
    """Another run has changed the rows that a change was made for."""

    is_temporary = True


def find_refusal(error: BaseException) -> int | None:
    """Return the number of the system's error by which a folder refuses to be used, if that is the cause.

    Libraries that are not written in Python have it in their text.
    """
    number = getattr(error, "errno", None)
    if number is None and (found := _NUMBER.search(str(error))):
        number = int(found[1])
    return number if number in REFUSALS else None


def describe_refusal(number: int) -> str:
    """Say what a folder refuses by, and what to do."""
    return f"{os.strerror(number)}. {REFUSALS[number]}, or choose another folder"


@contextmanager
def access(verb: str, path: str) -> Iterator[None]:
    """Turn what storage and delta-rs raise into one sentence that names the table."""
    # Not at the top: the declarations of tables, which need no library, use errors of this module.
    from deltalake.exceptions import DeltaError
    from obstore.exceptions import BaseError
    from pyarrow import ArrowInvalid

    try:
        yield
    except (OSError, DeltaError, BaseError, ArrowInvalid) as error:  # of Arrow: a file is torn
        cause = " ".join(_TERMINAL_ART.sub(":", str(error)).split())[:300]
        place = path.rstrip("/")
        if place.startswith("file://"):
            place = url2pathname(urlsplit(place).path)
        if (refusal := find_refusal(error)) is not None:
            raise StorageRefusedError(f"{place} cannot be {verb}: {describe_refusal(refusal)}") from error
        raise LakeAccessError(f"{place} cannot be {verb}: {cause}") from error
