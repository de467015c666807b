"""Copy a whole lake from one folder or object store to another, even while a run writes to it.

Every table is copied as it was at one moment: its log up to then, and the files of its newest version. A copy
keeps the table's id, versions and counters, so a run continues from a copy as it would from the lake itself.
Files that only older versions use are left out.
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

from movies.lake.all_tables import TABLES, tables_of
from movies.lake.delta import open_table, query
from movies.lake.integrity import damaged_files, files_of, require_files
from movies.lake.lake_errors import FilesLostError, LakeError, access
from movies.lake.table import Table, local_folder, open_store

if TYPE_CHECKING:
    from obstore.store import ObjectStore

# A file in the root of an unfinished copy. It has the ids of the tables that are being copied.
UNFINISHED = "_unfinished_copy.json"
LOG, LAST_CHECKPOINT = "_delta_log", "_last_checkpoint"
LOG_FILE = re.compile(r"(\d{20})\.(json|crc|checkpoint\.(.+\.)?parquet)")
# A log that needs a later reader may name files of other kinds than data files.
READER_VERSION = 1
FILES_AT_ONCE = 8
BYTES_AT_ONCE = 8 * 2**20

Pins = list[tuple[Table, DeltaTable]]


class CopyRefusedError(LakeError):
    """The source is not a whole lake, or the target is not empty; nothing has been written."""


class CopyBrokenError(LakeError):
    """A copy is wrong because something else wrote to the target meanwhile."""


@dataclass(frozen=True)
class CopiedTable:
    """A table of the copy, with its numbers of rows, files and bytes."""

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
    # The file appears only now: after an error, a writer that is never closed leaves none.
    copy.close()
    return found.meta["size"]


def _read(store: ObjectStore, path: str) -> bytes | None:
    """Return the content of a small file, or None if there is no such file."""
    try:
        return bytes(store.get(path).bytes())
    except FileNotFoundError:
        return None


def _size(store: ObjectStore, path: str) -> int | None:
    """Return the size of a file, or None if there is no such file."""
    try:
        return store.head(path)["size"]
    except FileNotFoundError:
        return None


def copy_lake(source_root: str, target_root: str) -> list[CopiedTable]:
    """Copy every table of a lake to an empty place.

    To finish an interrupted copy, call this again: it copies what is missing. Until then `check_finished`
    rejects the target.

    Raises:
        CopyRefusedError: the source is not a whole lake, or the target is not empty.
        LakeAccessError: the source or the target cannot be read or written.
        CopyBrokenError: something else has written to the target.
    """
    check_finished(source_root)
    pins = _pin(source_root)
    is_begun = _is_begun(target_root, pins)
    with access("written", target_root):
        store = open_store(target_root)
        ids = {table.name: found.metadata().id for table, found in pins}
        store.put(UNFINISHED, json.dumps(ids).encode())
    # Publications come last, so an unfinished copy never names tables that it does not have.
    copied = [_copy_table(table, found, target_root, is_begun) for table, found in reversed(pins)]
    _check_copy(pins, target_root)
    with access("written", target_root):
        store.delete(UNFINISHED)
    return copied


def check_finished(lake_root: str) -> None:
    """Reject a lake that is an unfinished copy.

    Raises:
        CopyRefusedError: it is one.
    """
    if _read_mark(lake_root) is not None:
        raise CopyRefusedError(
            f"{lake_root} is an unfinished copy. Finish it with the same command again, or delete it."
        )


def _pin(source_root: str) -> Pins:
    """Open each table at its present version.

    Derived tables are opened before the tables that they are made from, so the copy also has the rows that
    they refer to. If a run writes meanwhile, the copy looks like a lake after a crash of that run.
    """
    try:
        tables = [(table, open_table(table, source_root)) for table in reversed(tables_of(source_root))]
        pins = [(table, found) for table, found in tables if found is not None]
        for table, found in pins:
            require_files(table, found)
    except FilesLostError as error:
        raise CopyRefusedError(
            f"{source_root} is not whole. {error} If it is a backup, use another one."
        ) from error
    if not pins:
        raise CopyRefusedError(f"There are no tables in {source_root}. Name the lake to copy.")
    for table, found in pins:
        if found.protocol().min_reader_version > READER_VERSION:
            raise CopyRefusedError(f"{table.path(source_root)} has later features of Delta. Copy its files.")
    return pins


def _is_begun(target_root: str, pins: Pins) -> bool:
    """Return whether the target has an unfinished copy of this lake; reject a target with anything else."""
    begun = _read_mark(target_root)
    if begun is None:
        if (name := _first_table(target_root)) is not None:
            raise CopyRefusedError(
                f"There is a lake in {target_root} already, with {name}. Choose another place."
            )
        return False
    if any(begun.get(table.name, found.metadata().id) != found.metadata().id for table, found in pins):
        raise CopyRefusedError(f"A copy of another lake was begun in {target_root}. Delete it first.")
    return True


def _first_table(lake_root: str) -> str | None:
    return next((table.name for table in TABLES if open_table(table, lake_root) is not None), None)


def _read_mark(lake_root: str) -> Mapping[str, str] | None:
    """Return the ids of the tables that an unfinished copy will have, or None if there is no such copy."""
    folder = local_folder(lake_root)
    if folder is not None and not folder.is_dir():
        return None
    with access("read", lake_root):
        mark = _read(open_store(lake_root), UNFINISHED)
    try:
        ids: Mapping[str, str] | None = None if mark is None else json.loads(mark)
    except ValueError as error:
        raise CopyRefusedError(
            f"{UNFINISHED} in {lake_root} is damaged, so it is not known what was copied there. "
            "Delete the copy and start again."
        ) from error
    return ids


def _copy_table(table: Table, found: DeltaTable, target_root: str, is_begun: bool) -> CopiedTable:
    path, version = table.path(target_root), found.version()
    rows = query(found, "SELECT count(*) AS rows FROM t").column("rows")[0].as_py()
    with access(f"copied to {path}", found.table_uri):
        source, target = open_store(found.table_uri), open_store(path)
        files = files_of(found)
        _copy_files(source, target, files, there=files if is_begun else {})
        # The hint is read before the log is listed, so the list has the checkpoint that it names.
        hint = _read(source, f"{LOG}/{LAST_CHECKPOINT}")
        log = source.list_with_delimiter(LOG)["objects"]
        *earlier, last = sorted(file["path"] for file in log if _is_until(file["path"], version))
        sizes = [*files.values(), *_copy_files(source, target, earlier), *_copy_files(source, target, [last])]
        if _is_hint_until(hint, version):
            assert hint is not None
            target.put(f"{LOG}/{LAST_CHECKPOINT}", hint)
    return CopiedTable(table.name, version, rows, len(sizes), sum(sizes))


def _is_hint_until(hint: bytes | None, version: int) -> bool:
    """Return whether a hint names a checkpoint up to this version; Delta ignores a torn hint."""
    try:
        return hint is not None and int(json.loads(hint)["version"]) <= version
    except (ValueError, KeyError, TypeError):
        return False


def _is_until(path: str, version: int) -> bool:
    """Return whether a file belongs to the log up to this version."""
    name = LOG_FILE.fullmatch(path.rpartition("/")[2])
    return name is not None and int(name[1]) <= version


def _copy_files(
    source: ObjectStore, target: ObjectStore, paths: Iterable[str], there: Mapping[str, int] | None = None
) -> list[int]:
    """Copy files in parallel and return their sizes; files in `there` may have been copied before."""

    def copy(path: str) -> int:
        if there and _size(target, path) == there[path]:
            return there[path]
        return copy_file(source, target, path)

    with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
        return list(pool.map(copy, paths))


def _check_copy(pins: Pins, target_root: str) -> None:
    """Check that the target's tables are complete and have the ids and versions of the source."""
    wanted = {table.name: (found.metadata().id, found.version()) for table, found in pins}
    for table in tables_of(target_root):
        found = open_table(table, target_root)
        if found and damaged_files(found):
            raise CopyBrokenError(
                f"The copy of {table.name} in {target_root} is not whole. Delete the copy and start again."
            )
        if (found and (found.metadata().id, found.version())) != wanted.get(table.name):
            raise CopyBrokenError(
                f"Something else has written to {table.path(target_root)}. Delete the copy and start again."
            )
