"""Read IMDb's file of ratings piece by piece (https://developer.imdb.com/non-commercial-datasets/)."""

from __future__ import annotations

import hashlib
import logging
import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from movies.bounded import LARGEST_FILE, Lines, NotWholeError, TooLargeError, Unpacker
from movies.imdb.imdb_errors import NotRatingsError, UnavailableError

logger = logging.getLogger(__name__)

COLUMNS = ("tconst", "averageRating", "numVotes")
HEADER = "\t".join(COLUMNS).encode()
# A valid row; Arrow applies the expression to many rows at once.
ID, RATING, VOTES = r"tt[0-9]{7,10}", r"10(?:\.0+)?|[1-9](?:\.[0-9]{1,6})?", r"[0-9]{1,15}"
ROW = rf"^(?P<imdb_id>{ID})\t(?P<rating>{RATING})\t(?P<votes>{VOTES})\r?$"
SCHEMA = pa.schema({"imdb_id": pa.string(), "rating": pa.float64(), "votes": pa.int64()})
BYTES_AT_ONCE = 4 * 2**20
# If a larger share of the rows is invalid, it is not a file of ratings.
MOST_INVALID = 0.5


class RatingsFile:
    """Reads the file once by `batches`; the other members are complete after that.

    `refused` counts the rejected rows by reason, and `digest` is that of the file's unpacked bytes.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.rows = 0
        self.refused: Counter[str] = Counter()
        self._path = path
        self._name = name
        self._digest = hashlib.sha256()
        # All ids so far, in Arrow's arrays: 20 MB for the whole file.
        self._seen: list[pa.Array] = []
        self._last = ""

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the valid rows, with the columns `imdb_id`, `rating` and `votes` and unique ids.

        Raises:
            NotRatingsError: it is another file, a torn one, or one without ratings.
            UnavailableError: the file cannot be read.
        """
        try:
            with self._path.open("rb") as file:
                for lines in self._blocks(file):
                    batch = self._read(lines)
                    if batch.num_rows:
                        yield batch
        except NotWholeError as error:
            raise NotRatingsError(f"{self._name} is not a whole file: {error}") from error
        except TooLargeError as error:
            raise NotRatingsError(f"{self._name} is not a file of IMDb's ratings: it has {error}") from error
        except OSError as error:
            raise UnavailableError(f"{self._name} cannot be read: {error.strerror or error}") from error
        rows = self.rows + self.refused.total()
        if self.rows <= MOST_INVALID * rows:
            raise NotRatingsError(
                f"{self._name} is not a file of IMDb's ratings: {self.rows:,} of {rows:,} rows are ratings"
            )

    def _blocks(self, file: BinaryIO) -> Iterator[bytes]:
        """Yield whole lines, some megabytes at a time, without the header."""
        blocks = self._whole_lines(file)
        header, _, first = next(blocks, b"").partition(b"\n")
        if header.rstrip(b"\r") != HEADER:
            # The content is not shown, because it may be any file.
            raise NotRatingsError(
                f"{self._name}, line 1: this is not a file of IMDb's ratings, which begins with "
                f"{', '.join(COLUMNS)} and tabs between"
            )
        held, size = [first], len(first)
        for block in blocks:
            held.append(block)
            size += len(block)
            if size >= BYTES_AT_ONCE:
                yield b"\n".join(held)
                held, size = [], 0
        if held:
            yield b"\n".join(held)

    def _whole_lines(self, file: BinaryIO) -> Iterator[bytes]:
        unpacker, cutter = Unpacker(LARGEST_FILE), Lines()
        chunks = iter(lambda: file.read(BYTES_AT_ONCE), b"")
        for piece in chain(chain.from_iterable(map(unpacker.feed, chunks)), unpacker.end()):
            self._digest.update(piece)
            if (lines := cutter.feed(piece)) is not None:
                yield lines
        if (rest := cutter.end()) is not None:
            yield rest
        if unpacker.passed_over:
            logger.warning(
                "%s bytes after the end of %s are ignored", f"{unpacker.passed_over:,}", self._name
            )

    def _read(self, block: bytes) -> pa.RecordBatch:
        lines = pc.split_pattern(pa.array([block], pa.binary()), b"\n").flatten()
        found = pc.extract_regex(lines, pattern=ROW)
        if found.null_count:
            refused = (_refusal(line) for line in lines.filter(found.is_null()).to_pylist())
            self.refused.update(reason for reason in refused if reason)
            found = found.drop_null()
        texts = [column.cast(pa.string()) for column in found.flatten()]
        is_first = self._note_first(texts[0])
        columns = [text.filter(is_first).cast(field.type) for text, field in zip(texts, SCHEMA, strict=True)]
        self.rows += len(columns[0])
        return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)

    def _note_first(self, ids: pa.Array) -> pa.Array:
        """Return for each id whether it is its first row, and remember the ids."""
        is_first = pa.repeat(pa.scalar(True), len(ids))
        if not self._is_further(ids):
            is_first = pc.and_(_first_in_batch(ids), pc.invert(pc.is_in(ids, value_set=self._all_seen())))
        if repeated := len(ids) - (pc.sum(is_first).as_py() or 0):
            self.refused["repeated_id"] += repeated
        self._seen.append(ids.filter(is_first))
        self._last = max(self._last, pc.max(ids).as_py() or "")
        return is_first

    def _is_further(self, ids: pa.Array) -> bool:
        """Return whether all ids are greater than those before, so none is repeated."""
        if not len(ids):
            return True
        is_rising = pc.all(pc.greater(ids[1:], ids[:-1])).as_py() if len(ids) > 1 else True
        return bool(is_rising and ids[0].as_py() > self._last)

    def _all_seen(self) -> pa.ChunkedArray:
        return pa.chunked_array(self._seen, pa.string())


def _first_in_batch(ids: pa.Array) -> pa.Array:
    places = pa.array(range(len(ids)), pa.int64())
    rows = pa.Table.from_arrays([ids, places], ["id", "place"])
    firsts = pa.TableGroupBy(rows, "id").aggregate([("place", "min")])
    return pc.is_in(places, value_set=firsts["place_min"])


def _refusal(line: bytes) -> str | None:
    """Return why a line is not a rating, or None if it is empty."""
    values = line.removesuffix(b"\r").split(b"\t")
    if values == [b""]:
        return None
    if len(values) != len(COLUMNS):
        return "not_three_values"
    patterns = {"bad_id": ID, "bad_rating": RATING, "bad_votes": VOTES}
    return next(
        reason
        for (reason, pattern), value in zip(patterns.items(), values, strict=True)
        if not re.fullmatch(pattern.encode(), value)
    )
