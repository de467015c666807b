"""Errors of the lake. Each of them stops the run or the command.

* LakeError
  x LakeAccessError       a table cannot be read or written: no answer from an object store, a broken log
    + StorageRefusedError because its disk is full or read-only, or this user has no permission
  x FolderNameError       a folder has a name that Delta's library cannot work with
  x MixedSourcesError     sandbox movies and others would be mixed in one lake
  x SchemaMismatchError   the columns of a table differ from those that this version declares
  x VersionGoneError      an older version of a table no longer exists
  x TableMissingError     a requested table has not been made yet
  x QueryError            a query is invalid, or does more than read
    + UnknownTableError   there is no table of that name
  x QueryStoppedError     a query has taken longer than it may
  x FilesMissingError     files that an engine reported as written are not there
  x FilesLostError        a table has files that are missing or torn
  x OvertakenError        another run has changed the rows that a change was based on
  x CopyRefusedError      (`lake.backup`) a lake cannot be copied there, or from there
  x CopyBrokenError       (`lake.backup`) a copy differs from its source
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit
from urllib.request import url2pathname

# How delta-rs joins an error with its cause.
_TERMINAL_ART = re.compile(r"\s*\x1b\[[0-9;]*m\W*\x1b\[[0-9;]*m")
# How Rust's libraries and Arrow write a system error number.
_NUMBER = re.compile(r"(?:\(os error |\[errno |\bos \{ code: )(\d+)\b", re.IGNORECASE)
# System errors that stay until the user acts, each with what to do. A retry does not help.
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
    """A table cannot be used until its folder has space or permissions; the text says what to do."""

    is_temporary = False


class FolderNameError(LakeError):
    """Delta tables cannot be in a folder of this name (exit status 2)."""

    is_usage = True


class MixedSourcesError(LakeError):
    """Movies from the sandbox and from elsewhere would be mixed in one lake."""


class SchemaMismatchError(LakeError):
    """A table's columns are not those declared."""


class VersionGoneError(LakeError):
    """A table has no such version, or not all of its files."""


class TableMissingError(LakeError):
    """A requested table has not been made yet."""


class QueryError(LakeError):
    """A query is invalid, or does more than read (exit status 2)."""

    is_usage = True


class UnknownTableError(QueryError):
    """There is no table of that name."""


class QueryStoppedError(LakeError):
    """A query has taken longer than it may."""


class FilesMissingError(LakeError):
    """Files that an engine reported as written are not in the lake."""

    is_temporary = True


class FilesLostError(LakeError):
    """Files of a table are missing or torn; the text says how to restore them."""


class OvertakenError(LakeError):
    """Another run has changed the rows that a change was based on."""

    is_temporary = True


def find_refusal(error: BaseException) -> int | None:
    """Return the system error number if a folder cannot be used until the user acts, otherwise None.

    Libraries that are not written in Python have the number in their text.
    """
    number = getattr(error, "errno", None)
    if number is None and (found := _NUMBER.search(str(error))):
        number = int(found[1])
    return number if number in REFUSALS else None


def describe_refusal(number: int) -> str:
    """Describe why a folder cannot be used, and what to do."""
    return f"{os.strerror(number)}. {REFUSALS[number]}, or choose another folder"


@contextmanager
def access(verb: str, path: str) -> Iterator[None]:
    """Convert errors of storage and delta-rs to a `LakeAccessError` that names the table."""
    # Imported here because declarations of tables use this module and need no library.
    from deltalake.exceptions import DeltaError
    from obstore.exceptions import BaseError
    from pyarrow import ArrowInvalid

    try:
        yield
    except (OSError, DeltaError, BaseError, ArrowInvalid) as error:  # Arrow raises its own for a torn file
        cause = " ".join(_TERMINAL_ART.sub(":", str(error)).split())[:300]
        place = path.rstrip("/")
        if place.startswith("file://"):
            place = url2pathname(urlsplit(place).path)
        if (refusal := find_refusal(error)) is not None:
            raise StorageRefusedError(f"{place} cannot be {verb}: {describe_refusal(refusal)}") from error
        raise LakeAccessError(f"{place} cannot be {verb}: {cause}") from error
