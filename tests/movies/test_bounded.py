"""Bytes from elsewhere: whatever is packed how often and however it comes, and never more than the bound."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movies.bounded import (
    LONGEST_LINE,
    MIB,
    MOST_LAYERS,
    Limit,
    Lines,
    NotWholeError,
    TooLargeError,
    Unpacker,
)

SMALL = Limit("SMALL", 1000)
BOMB = gzip.compress(bytes(64 * MIB))


def unpacked(chunks: Iterable[bytes], limit: Limit = SMALL) -> bytes:
    unpacker = Unpacker(limit)
    pieces = [piece for chunk in chunks for piece in unpacker.feed(chunk)]
    return b"".join([*pieces, *unpacker.end()])


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@settings(deadline=None)
@given(
    members=st.lists(st.binary(max_size=30).filter(lambda part: part[:1] != b"\x1f"), min_size=1, max_size=4),
    layers=st.integers(0, MOST_LAYERS),
    padding=st.integers(0, 5),
    size=st.integers(1, 200),
)
def test_all_members_of_all_layers_are_unpacked_in_whatever_pieces_they_come(members, layers, padding, size):
    data = b"".join(members)
    if layers:
        data = b"".join(map(gzip.compress, members)) + bytes(padding)
    for _ in range(layers - 1):
        data = gzip.compress(data)

    assert unpacked(cut(data, size)) == b"".join(members)


@pytest.mark.parametrize("data", [b"", b"\x1f", b"\x1f\x8a", b"{}"])
def test_what_is_not_packed_comes_as_it_is(data):
    assert unpacked([data]) == unpacked(cut(data, 1)) == data


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_other_bytes_behind_the_last_member_are_counted_and_passed_over(size):
    unpacker = Unpacker(SMALL)
    pieces = [
        piece for chunk in cut(gzip.compress(b"abc") + b"\0\0rest", size) for piece in unpacker.feed(chunk)
    ]

    assert (b"".join([*pieces, *unpacker.end()]), unpacker.passed_over) == (b"abc", 4)


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(b"abc")[:-1],
        gzip.compress(b"abc") + b"\x1f",
        gzip.compress(b"abc") + gzip.compress(b"def")[:12],
        gzip.compress(b"abc")[:-8] + b"12345678",
        gzip.compress(gzip.compress(b"abc")[:-1]),
    ],
    ids=["torn", "begun", "torn-later", "damaged", "torn-inside"],
)
def test_what_is_not_whole_is_refused(data):
    with pytest.raises(NotWholeError):
        unpacked([data])


@pytest.mark.parametrize(
    "data",
    [
        bytes(1001),
        gzip.compress(bytes(1001)),
        gzip.compress(bytes(600)) * 2,
        gzip.compress(gzip.compress(b"") * 200),
        gzip.compress(b"") * 200,
    ],
    ids=["plain", "packed", "members", "inner-members", "empty-members"],
)
def test_a_bound_holds_for_every_layer_and_is_named(data):
    with pytest.raises(TooLargeError, match=r"^more than 1,000 bytes \(SMALL\)$"):
        unpacked([data])


@pytest.mark.parametrize("packed", [BOMB, gzip.compress(BOMB * 99)], ids=["once", "twice"])
def test_a_bomb_takes_no_memory(packed):
    unpacker = Unpacker(Limit("LARGE", 32 * MIB))
    tracemalloc.start()
    try:
        with pytest.raises(TooLargeError):
            for _ in unpacker.feed(packed):
                pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 2 * MIB


def test_countless_members_are_refused(monkeypatch):
    monkeypatch.setattr("movies.bounded.MOST_MEMBERS", 3)
    assert unpacked([gzip.compress(b"a") * 3]) == b"aaa"
    with pytest.raises(TooLargeError, match="MOST_MEMBERS"):
        unpacked([gzip.compress(b"a") * 4])


def lines_of(pieces: Iterable[bytes], limit: Limit = LONGEST_LINE) -> list[bytes]:
    cutter = Lines(limit)
    blocks = [*(cutter.feed(piece) for piece in pieces), cutter.end()]
    return [line for block in blocks if block is not None for line in block.split(b"\n")]


@given(
    lines=st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\n", b"")), min_size=1),
    size=st.integers(1, 60),
    has_mark=st.booleans(),
)
def test_lines_are_whole_in_whatever_pieces_they_come(lines, size, has_mark):
    data = b"\n".join([*lines, b"end"])
    assert lines_of(cut((b"\xef\xbb\xbf" if has_mark else b"") + data, size)) == [*lines, b"end"]


@pytest.mark.parametrize(
    "pieces",
    [[b"x" * 11], [b"x" * 6] * 2, [b"x" * 6, b"x" * 6 + b"\ny"], [b"y\n" + b"x" * 11]],
    ids=["one-piece", "no-end", "end-later", "after-another"],
)
def test_a_line_is_never_longer_than_its_bound(pieces):
    with pytest.raises(TooLargeError, match=r"^a line of more than 10 bytes \(TEN\)$"):
        lines_of(pieces, Limit("TEN", 10))
