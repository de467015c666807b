"""Check that a table has all files that its log names, in the right sizes, without reading them."""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import unquote

import pyarrow as pa
from deltalake import DeltaTable

from movies.lake.lake_errors import FilesLostError, access
from movies.lake.table import Table, local_folder, open_store

REBUILD = "Run `movies run`, which rebuilds it."
ADVICE = {
    "raw": "Run `movies run`, which fetches its movies again.",
    "silver": REBUILD,
    "gold": REBUILD,
    "forecast": "Run `movies forecast`, which makes it again.",
    "meta": "Delete its folder and run `movies run`, which rebuilds silver and gold.",
}
ADVICE_OF = {
    "raw/imdb_ratings": "Run `movies run --imdb-ratings FILE`, which reads it again.",
}


def files_of(found: DeltaTable) -> dict[str, int]:
    """Return the sizes of the files that a version of a table has, by their paths within its folder."""
    actions = pa.RecordBatchReader.from_stream(found.get_add_actions(flatten=True)).read_all()
    # Paths in a log are percent-encoded.
    paths = map(unquote, actions.column("path").to_pylist())
    return dict(zip(paths, actions.column("size_bytes").to_pylist(), strict=True))


def damaged_files(found: DeltaTable) -> list[str]:
    """Return the paths of files that are missing or have another size than the log says.

    Raises:
        LakeAccessError: the folder cannot be listed.
    """
    with access("read", found.table_uri):
        sizes = files_of(found)
        present = _sizes_there(found, sizes)
    return sorted(path for path, size in sizes.items() if present.get(path) != size)


def require_files(table: Table, found: DeltaTable) -> None:
    """Reject a table with missing or torn files.

    Raises:
        FilesLostError: files are missing or torn; the text names one, and how to restore them.
    """
    damaged = damaged_files(found)
    if damaged:
        layer = table.name.partition("/")[0]
        more = f" and {len(damaged) - 1} more" if len(damaged) > 1 else ""
        raise FilesLostError(
            f"{table.name} has files that are missing or torn: {damaged[0]}{more}. "
            f"{ADVICE_OF.get(table.name) or ADVICE[layer]}"
        )


def _sizes_there(found: DeltaTable, wanted: dict[str, int]) -> dict[str, int | None]:
    folder = local_folder(found.table_uri)
    if folder is None:
        # Cheaper than a request for each file: one lists a thousand.
        return {file["path"]: file["size"] for files in open_store(found.table_uri).list() for file in files}
    there: dict[str, int | None] = {}
    for path in wanted:
        try:
            there[path] = (folder / PurePosixPath(path)).stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            there[path] = None
    return there
