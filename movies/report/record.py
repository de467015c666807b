"""Records of what the files of an output folder were made from."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

RECORD_FOLDER = ".made_from"
# Only strings and numbers, for JSON and cache keys.
MadeFrom = Mapping[str, Any]


def write_record(output_dir: Path, part: str, made_from: MadeFrom, paths: Iterable[Path]) -> None:
    """Record a part's files with their digests; call it after the files are written."""
    files = {path.relative_to(output_dir).as_posix(): _digest(path) for path in paths}
    record = {"made_from": made_from, "files": files}
    replace_file(output_dir / RECORD_FOLDER / f"{part}.json", json.dumps(record, indent=1).encode())


def made_files(output_dir: Path, part: str, made_from: MadeFrom) -> list[str]:
    """Return the part's files if all are unchanged and were made from `made_from`, otherwise none."""
    try:
        record = json.loads((output_dir / RECORD_FOLDER / f"{part}.json").read_bytes())
        files: dict[str, str] = record["files"]
        intact = all(_digest(output_dir / name) == digest for name, digest in files.items())
        is_current = intact and record["made_from"] == made_from
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [str(output_dir / name) for name in files] if is_current else []


def replace_file(path: Path, content: bytes) -> Path:
    """Replace a file in one step, and make its folder if needed; on an error, the old file stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return path


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
