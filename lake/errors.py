"""What can go wrong with the lake; every one of them stops the run.

* LakeError
  x LakeAccessError       a table cannot be read or written: no permission, no space, a broken log
  x MixedSourcesError     sandbox movies and others would end in one lake
  x SchemaMismatchError   a table has other columns than this version declares
  x CopyRefusedError      (`lake.backup`) a lake cannot be copied there, or from there
  x CopyBrokenError       (`lake.backup`) a copy is not what it was made from
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from deltalake.exceptions import DeltaError

# How delta-rs joins an error to its cause.
_TERMINAL_ART = re.compile(r"\s*\x1b\[[0-9;]*m\W*\x1b\[[0-9;]*m")


class LakeError(Exception):
    """Base of all errors of this package."""


class LakeAccessError(LakeError):
    """A table cannot be read or written."""


class MixedSourcesError(LakeError):
    """Movies from the sandbox and from elsewhere would end in one lake."""


class SchemaMismatchError(LakeError):
    """A table's columns are not those declared."""


@contextmanager
def access(verb: str, path: str) -> Iterator[None]:
    """Turn what storage and delta-rs raise into one sentence that names the table."""
    try:
        yield
    except (OSError, DeltaError) as error:
        cause = " ".join(_TERMINAL_ART.sub(":", str(error)).split())[:300]
        place = path.removeprefix("file://").rstrip("/")
        raise LakeAccessError(f"{place} cannot be {verb}: {cause}") from error
