"""Files of ratings for tests."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path

HEADER = "tconst\taverageRating\tnumVotes\n"


def write_ratings(path: Path, rows: Iterable[tuple[str, float, int]]) -> Path:
    """Write a file as IMDb has it, packed where its name says so."""
    text = HEADER + "".join(f"{imdb_id}\t{rating}\t{votes}\n" for imdb_id, rating, votes in rows)
    path.write_bytes(gzip.compress(text.encode(), mtime=0) if path.suffix == ".gz" else text.encode())
    return path
