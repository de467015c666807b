"""Unpack data from other machines and cut it into lines, within limits of size."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import NamedTuple

MIB = 2**20
GZIP = b"\x1f\x8b"
BOM = b"\xef\xbb\xbf"
READS_GZIP = 16 + zlib.MAX_WBITS


class Limit(NamedTuple):
    """A maximum number of bytes, with its name for errors."""

    name: str
    most: int

    def __str__(self) -> str:
        return f"{self.most:,} bytes ({self.name})"


LARGEST_ANSWER = Limit("LARGEST_ANSWER", 32 * MIB)
LARGEST_FILE = Limit("LARGEST_FILE", 4096 * MIB)
LONGEST_LINE = Limit("LONGEST_LINE", MIB)
# Layers of gzip: the file itself, a server and a cache may each add one.
MOST_LAYERS = 4
# More than a file of 4 GiB in blocks of 64 KiB has. Even an empty member costs microseconds.
MOST_MEMBERS = 100_000
# Maximum input and output of a single call of a decompressor.
PACKED_AT_ONCE, UNPACKED_AT_ONCE = 2**16, 2**18


class TooLargeError(Exception):
    """The data is larger than its limit."""


class NotWholeError(Exception):
    """The packed data ends in the middle, or is damaged."""


class Unpacker:
    """Unpacks gzip piece by piece, and returns other data unchanged.

    Gzip is recognised by its first two bytes; headers are ignored. All members of a file are read, and
    several layers of gzip are unpacked. The limit applies to every layer. Zeros after the last member are
    padding; `passed_over` counts other bytes there.
    """

    def __init__(self, limit: Limit, layers: int = MOST_LAYERS) -> None:
        self._limit = limit
        self._layers = layers
        self._size = 0
        # Bytes that are too few to recognise gzip.
        self._undecided = b""
        self._is_plain = layers == 0
        self._inner: Unpacker | None = None
        self._member: zlib._Decompress | None = None
        self._members = 0
        self._is_over = False
        self.passed_over = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what can be unpacked so far, piece by piece.

        Raises:
            TooLargeError: the data is larger than its limit.
            NotWholeError: the data is damaged.
        """
        for start in range(0, len(data), PACKED_AT_ONCE):
            yield from self._feed(data[start : start + PACKED_AT_ONCE])

    def end(self) -> Iterator[bytes]:
        """Yield the rest, after all data has been fed.

        Raises:
            NotWholeError: the data ends in the middle.
        """
        if self._inner is None:
            if self._undecided:
                yield self._undecided
        elif self._member is not None or self._undecided:
            raise NotWholeError("it ends in the middle")
        else:
            yield from self._inner.end()

    def _feed(self, data: bytes) -> Iterator[bytes]:
        self._size += len(data)
        if self._size > self._limit.most:
            raise TooLargeError(f"more than {self._limit}")
        if self._inner is None and not self._is_plain:
            data, self._undecided = self._undecided + data, b""
            if data.startswith(GZIP):
                self._inner = Unpacker(self._limit, self._layers - 1)
            elif GZIP.startswith(data):
                self._undecided = data
                return
            else:
                self._is_plain = True
        if self._inner is None:
            yield data
            return
        try:
            for piece in self._unpack(data):
                yield from self._inner._feed(piece)
        except zlib.error as error:
            raise NotWholeError(f"it is damaged: {error}") from error

    def _unpack(self, data: bytes) -> Iterator[bytes]:
        while True:
            if self._member is None:
                data = self._begin_member(data)
            if self._member is None:
                return
            piece = self._member.decompress(data, UNPACKED_AT_ONCE)
            if piece:
                yield piece
            if self._member.eof:
                data, self._member = self._member.unused_data, None
            else:
                data = self._member.unconsumed_tail
                # After a full piece there may be more output without more input.
                if not data and len(piece) < UNPACKED_AT_ONCE:
                    return

    def _begin_member(self, data: bytes) -> bytes:
        data, self._undecided = self._undecided + data, b""
        if not self._is_over and self._members:
            data = data.lstrip(b"\0")
        if not self._is_over and data.startswith(GZIP):
            self._members += 1
            if self._members > MOST_MEMBERS:
                raise TooLargeError(f"more than {MOST_MEMBERS:,} gzip members (MOST_MEMBERS)")
            self._member = zlib.decompressobj(READS_GZIP)
        elif not self._is_over and GZIP.startswith(data):
            self._undecided = data
        else:
            self._is_over = True
            self.passed_over += len(data)
        return data


class Lines:
    """Cuts pieces into whole lines, and removes a byte-order mark at the beginning."""

    def __init__(self, limit: Limit = LONGEST_LINE) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._is_first = True

    def feed(self, piece: bytes) -> bytes | None:
        """Return the lines that end in this piece, without the last line end, or None if none ends.

        Raises:
            TooLargeError: a line is longer than its limit.
        """
        whole, newline, tail = piece.rpartition(b"\n")
        if not newline:
            self._rest += piece
            self._check(len(self._rest))
            return None
        self._check(len(self._rest) + piece.index(b"\n"))
        self._check(len(tail))
        lines, self._rest = bytes(self._rest + whole), bytearray(tail)
        return self._without_mark(lines)

    def end(self) -> bytes | None:
        """Return the last line if it has no line end, otherwise None."""
        return self._without_mark(bytes(self._rest)) if self._rest else None

    def _check(self, length: int) -> None:
        if length > self._limit.most:
            raise TooLargeError(f"a line of more than {self._limit}")

    def _without_mark(self, lines: bytes) -> bytes:
        is_first, self._is_first = self._is_first, False
        return lines.removeprefix(BOM) if is_first else lines
