"""Copying a lake, whole, from one folder or object store to another, also while a run writes to it.

Every table is copied as it was at one moment: its log up to then, and the files that its newest version is
made of. It keeps its id, its versions and its counters, so a run goes on from a copy as it would have gone on
from the lake. What only older versions are made of is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deltalake import DeltaTable
from obstore import open_writer

from movies.lake.all_tables import TABLES
from movies.lake.delta import open_table, query
from movies.lake.errors import FilesLostError, LakeError, access
from movies.lake.integrity import damaged_files, files_of, require_files
from movies.lake.table import Table, local_folder, open_store

if TYPE_CHECKING:
    from obstore.store import ObjectStore

# In the root of a lake whose copying has begun and not ended: the ids of the tables that are to be there.
UNFINISHED = "_unfinished_copy.json"
LOG, LAST_CHECKPOINT = "_delta_log", "_last_checkpoint"
LOG_FILE = re.compile(r"(\d{20})\.(json|crc|checkpoint\.(.+\.)?parquet)")
# A log that needs a later reader may name files of other kinds than data files.
READER_VERSION = 1
FILES_AT_ONCE = 8
BYTES_AT_ONCE = 8 * 2**20

Pins = list[tuple[Table, DeltaTable]]


class CopyRefusedError(LakeError):
    """There is no whole lake to copy, or the target is not free; nothing has been written."""


class CopyBrokenError(LakeError):
    """A copy did not come out right, since something else wrote to the target meanwhile."""


@dataclass(frozen=True)
class CopiedTable:
    """A table as the copy has it."""

    name: str
    version: int
    rows: int
    files: int
    size: int


def copy_file(source: ObjectStore, target: ObjectStore, path: str) -> int:
    """Copy a file piece by piece, and return its size."""
    found = source.get(path)
    copy = open_writer(target, path)
    for piece in found.stream(BYTES_AT_ONCE):
        copy.write(piece)
    # Only now is there a file: one that is never closed, after an error, is not created.
    copy.close()
    return found.meta["size"]


def _read(store: ObjectStore, path: str) -> bytes | None:
    """A small file's content; None if there is no such file."""
    try:
        return bytes(store.get(path).bytes())
    except FileNotFoundError:
        return None


def _size(store: ObjectStore, path: str) -> int | None:
    """A file's size; None if there is no such file."""
    try:
        return store.head(path)["size"]
    except FileNotFoundError:
        return None


def copy_lake(source_root: str, target_root: str) -> list[CopiedTable]:
    """Copy every table of a lake to a place where there is none.

    A copy that was broken off is finished by the same call again, which copies what is missing. Until then
    `check_finished` refuses the target.

    Raises:
        CopyRefusedError: there is no whole lake in the source, or there is something in the target.
        LakeAccessError: a place cannot be read or written.
        CopyBrokenError: something else has written to the target.
    """
    check_finished(source_root)
    pins = _pin(source_root)
    is_begun = _refuse_occupied(target_root, pins)
    with access("written", target_root):
        store = open_store(target_root)
        ids = {table.name: found.metadata().id for table, found in pins}
        store.put(UNFINISHED, json.dumps(ids).encode())
    # Publications come last: what a part of a copy says of itself is true.
    copied = [_copy_table(table, found, target_root, is_begun) for table, found in reversed(pins)]
    _check_copy(pins, target_root)
    with access("written", target_root):
        store.delete(UNFINISHED)
    return copied


def check_finished(lake_root: str) -> None:
    """Refuse a lake that is only the beginning of a copy.

    Raises:
        CopyRefusedError: it is.
    """
    if _read_mark(lake_root) is not None:
        raise CopyRefusedError(
            f"{lake_root} is a copy that was broken off: finish it by the same command again, or delete it"
        )


def _pin(source_root: str) -> Pins:
    """Open each table at the version it has now.

    What is made from others comes before those: what a table was made from, or speaks of, is then in the copy
    too. To a run that writes meanwhile, the copy is what a crash would have left.
    """
    tables = [(table, open_table(table, source_root)) for table in reversed(TABLES)]
    pins = [(table, found) for table, found in tables if found is not None]
    if not pins:
        raise CopyRefusedError(f"There are no tables in {source_root}, so there is nothing to copy")
    for table, found in pins:
        try:
            require_files(table, found)
        except FilesLostError as error:
            raise CopyRefusedError(
                f"{source_root} is not whole. {error} If it is a backup, use another one."
            ) from error
        if found.protocol().min_reader_version > READER_VERSION:
            raise CopyRefusedError(f"{table.path(source_root)} is of a later kind than can be copied")
    return pins


def _refuse_occupied(target_root: str, pins: Pins) -> bool:
    """Whether a copy of this lake was begun there, where it is refused that anything else was."""
    begun = _read_mark(target_root)
    if begun is None:
        if (name := _first_table(target_root)) is not None:
            raise CopyRefusedError(
                f"There is a lake in {target_root} already, with {name}: choose another place"
            )
        return False
    if any(begun.get(table.name, found.metadata().id) != found.metadata().id for table, found in pins):
        raise CopyRefusedError(f"A copy of another lake was begun in {target_root}: delete it first")
    return True


def _first_table(lake_root: str) -> str | None:
    return next((table.name for table in TABLES if open_table(table, lake_root) is not None), None)


def _read_mark(lake_root: str) -> Mapping[str, str] | None:
    """The ids of the tables that an unfinished copy is to have; None where there is none."""
    folder = local_folder(lake_root)
    if folder is not None and not folder.is_dir():
        return None
    with access("read", lake_root):
        mark = _read(open_store(lake_root), UNFINISHED)
    try:
        ids: Mapping[str, str] | None = None if mark is None else json.loads(mark)
    except ValueError as error:
        raise CopyRefusedError(
            f"{UNFINISHED} in {lake_root} is damaged, so nobody knows what was copied there. "
            "Delete the copy and begin again."
        ) from error
    return ids


def _copy_table(table: Table, found: DeltaTable, target_root: str, is_begun: bool) -> CopiedTable:
    path, version = table.path(target_root), found.version()
    rows = query(found, "SELECT count(*) AS rows FROM t").column("rows")[0].as_py()
    with access(f"copied to {path}", found.table_uri):
        source, target = open_store(found.table_uri), open_store(path)
        files = files_of(found)
        _copy_files(source, target, files, there=files if is_begun else {})
        # The hint before the list: the checkpoint that it names is on the list then.
        hint = _read(source, f"{LOG}/{LAST_CHECKPOINT}")
        log = source.list_with_delimiter(LOG)["objects"]
        *earlier, last = sorted(file["path"] for file in log if _is_until(file["path"], version))
        sizes = [*files.values(), *_copy_files(source, target, earlier), *_copy_files(source, target, [last])]
        if _is_hint_until(hint, version):
            assert hint is not None
            target.put(f"{LOG}/{LAST_CHECKPOINT}", hint)
    return CopiedTable(table.name, version, rows, len(sizes), sum(sizes))


def _is_hint_until(hint: bytes | None, version: int) -> bool:
    """Whether it names a checkpoint of one of the versions up to this one; Delta does without a torn one."""
    try:
        return hint is not None and int(json.loads(hint)["version"]) <= version
    except (ValueError, KeyError, TypeError):
        return False


def _is_until(path: str, version: int) -> bool:
    """Whether a file belongs to the log of one of the versions up to this one."""
    name = LOG_FILE.fullmatch(path.rpartition("/")[2])
    return name is not None and int(name[1]) <= version


def _copy_files(
    source: ObjectStore, target: ObjectStore, paths: Iterable[str], there: Mapping[str, int] | None = None
) -> list[int]:
    """Copy files, several at a time, and return their sizes; those of `there` may have been copied before."""

    def copy(path: str) -> int:
        if there and _size(target, path) == there[path]:
            return there[path]
        return copy_file(source, target, path)

    with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
        return list(pool.map(copy, paths))


def _check_copy(pins: Pins, target_root: str) -> None:
    """Compare the ids and versions of the target's tables with those that were to be copied."""
    wanted = {table.name: (found.metadata().id, found.version()) for table, found in pins}
    for table in TABLES:
        found = open_table(table, target_root)
        if found and damaged_files(found):
            raise CopyBrokenError(
                f"The copy of {table.name} in {target_root} is not whole: delete the copy and begin again"
            )
        if (found and (found.metadata().id, found.version())) != wanted.get(table.name):
            raise CopyBrokenError(
                f"Something else has written to {table.path(target_root)}: delete the copy and begin again"
            )
