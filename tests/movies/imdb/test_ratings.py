"""Reading IMDb's file of ratings: what is a rating, what is none and why, and what is no such file."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from movies.bounded import MIB, Limit
from movies.imdb import ratings
from movies.imdb.imdb_errors import NotRatingsError, UnavailableError
from movies.imdb.ratings import RatingsFile
from tests.movies.imdb.files import HEADER, write_ratings

Row = tuple[str, float, int]
ROWS: list[Row] = [("tt0000001", 5.7, 2199), ("tt10000018", 10.0, 5), ("tt0499549", 7.9, 1_430_021)]


def read(path: Path) -> tuple[list[Row], dict[str, int]]:
    file = RatingsFile(path, "the file")
    rows = [tuple(row.values()) for batch in file.batches() for row in batch.to_pylist()]
    assert file.rows == len(rows)
    return rows, dict(file.refused)


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "ratings.tsv"
    path.write_bytes(text if isinstance(text, bytes) else (HEADER + text).encode())
    return path


@pytest.mark.parametrize("name", ["title.ratings.tsv.gz", "title.ratings.tsv"])
def test_a_file_is_read_packed_or_plain(name: str, tmp_path: Path) -> None:
    assert read(write_ratings(tmp_path / name, ROWS)) == (ROWS, {})


def test_lines_may_end_as_on_windows_and_the_last_one_not_at_all(tmp_path: Path) -> None:
    text = "tconst\taverageRating\tnumVotes\r\ntt0000001\t5.7\t2199\r\n\r\ntt0000002\t6\t12"
    assert read(written(tmp_path, b"\xef\xbb\xbf" + text.encode())) == (
        [("tt0000001", 5.7, 2199), ("tt0000002", 6.0, 12)],
        {},
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("tt0000009\t5.7", "not_three_values"),
        ("tt0000009\t5.7\t3\t4", "not_three_values"),
        ("nm0000009\t5.7\t3", "bad_id"),
        ("tt1\t5.7\t3", "bad_id"),
        ("tt0000009\t0.9\t3", "bad_rating"),
        ("tt0000009\t10.1\t3", "bad_rating"),
        ("tt0000009\t\\N\t3", "bad_rating"),
        ("tt0000009\t5,7\t3", "bad_rating"),
        ("tt0000009\t5.7\t-3", "bad_votes"),
        ("tt0000009\t5.7\t3.5", "bad_votes"),
        ("tt0000009\t5.7\t3\r\r", "bad_votes"),
        ("tt0000001\t9.9\t9", "repeated_id"),
        ("tt00\ud800001\t9.9\t9", "bad_id"),
    ],
)
def test_a_row_that_is_no_rating_is_left_out_and_counted_with_the_reason(
    line: str, reason: str, tmp_path: Path
) -> None:
    lines = "".join(f"{one[0]}\t{one[1]}\t{one[2]}\n" for one in ROWS)
    data = (HEADER + lines + line + "\n").encode(errors="surrogatepass")
    assert read(written(tmp_path, data)) == (ROWS, {reason: 1})


# Nothing of what is there: it may be any file.
OTHER_FILE = (
    ", line 1: this is not a file of IMDb's ratings, which begins with tconst, averageRating, numVotes and "
    "tabs between"
)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", f"{OTHER_FILE}$"),
        (b"<!DOCTYPE html>\n<html>", f"{OTHER_FILE}$"),
        (b"tconst\ttitleType\tprimaryTitle\ntt1\tshort\tX\n", f"{OTHER_FILE}$"),
        (HEADER.encode(), "0 of 0 rows are ratings"),
        (HEADER.encode() + b"tt0000001\t5.7\t9\nx\ny\n", "1 of 3 rows are ratings"),
        (HEADER.encode() + b"x" * 200_000, "0 of 1 rows are ratings"),
        (HEADER.encode() + b"x" * 2_000_000, r"a line of more than 1,048,576 bytes \(LONGEST_LINE\)"),
        (gzip.compress(bytes(64 * MIB)), r"a line of more than 1,048,576 bytes \(LONGEST_LINE\)"),
        (gzip.compress(HEADER.encode() + b"tt0000001\t5.7\t9\n" * 999)[:-9], "whole file"),
        (gzip.compress(HEADER.encode() + b"tt0000001\t5.7\t9\n")[:-8] + b"12345678", "whole file"),
    ],
    ids=[
        "empty",
        "html",
        "another-table",
        "no-rows",
        "mostly-refused",
        "long-line",
        "no-lines",
        "bomb",
        "torn",
        "damaged",
    ],
)
def test_what_is_no_file_of_ratings_is_refused_with_what_was_found(
    data: bytes, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(NotRatingsError, match=f"^the file( is not .*|){sentence}"):
        read(written(tmp_path, data))


def test_a_file_that_unpacks_to_more_than_is_sane_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ratings, "LARGEST_FILE", Limit("SMALL", 1000))
    path = write_ratings(tmp_path / "r.tsv.gz", [(f"tt{n:07}", 5.0, 9) for n in range(200)])
    with pytest.raises(NotRatingsError, match=r"it has more than 1,000 bytes \(SMALL\)"):
        read(path)


LINES = b"".join(b"%s\t%.1f\t%d\n" % (name.encode(), rating, votes) for name, rating, votes in ROWS)


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(HEADER.encode()) + gzip.compress(LINES),
        gzip.compress(HEADER.encode() + LINES[:30]) + gzip.compress(LINES[30:]) + bytes(512),
        gzip.compress(gzip.compress(HEADER.encode() + LINES)),
        gzip.compress(b"\xef\xbb\xbf" + HEADER.encode() + LINES) + b"trailer",
    ],
    ids=["members", "mid-line-and-padding", "packed-twice", "mark-and-garbage"],
)
def test_all_of_a_packed_file_is_read_however_it_was_put_together(data: bytes, tmp_path: Path) -> None:
    assert read(written(tmp_path, data)) == (ROWS, {})


def test_a_file_that_is_not_there_is_said_to_be_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"the file cannot be read: No such file"):
        read(tmp_path / "nowhere.tsv")


ODD_IDS = ["tt1", "nm0000001", "", "tt000000x"]
IDS = st.one_of(st.integers(1, 40).map("tt{:07}".format), st.sampled_from(ODD_IDS))
TENTHS = st.one_of(st.integers(0, 110).map(lambda n: f"{n / 10}"), st.sampled_from(["", "\\N", "ä"]))
COUNTS = st.one_of(st.integers(0, 10**6).map(str), st.sampled_from(["-1", "", "1e3", "7\t7"]))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.tuples(IDS, TENTHS, COUNTS)), block=st.integers(1, 60), is_packed=st.booleans())
def test_any_mixture_of_rows_is_read_as_one_row_at_a_time_would_be(
    lines: list[tuple[str, str, str]], block: int, is_packed: bool, tmp_path: Path
) -> None:
    good: dict[str, Row] = {}
    bad: Counter[str] = Counter()
    for imdb_id, rating, votes in lines:
        if "\t" in votes:
            bad["not_three_values"] += 1
        elif not re.fullmatch(r"tt\d{7}", imdb_id):
            bad["bad_id"] += 1
        elif not (re.fullmatch(r"\d+\.\d", rating) and 1 <= float(rating) <= 10):
            bad["bad_rating"] += 1
        elif not votes.isdecimal():
            bad["bad_votes"] += 1
        elif imdb_id in good:
            bad["repeated_id"] += 1
        else:
            good[imdb_id] = (imdb_id, float(rating), int(votes))
    text = (HEADER + "".join("\t".join(line) + "\n" for line in lines)).encode()
    path = tmp_path / "r.tsv"
    path.write_bytes(gzip.compress(text) if is_packed else text)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ratings, "BYTES_AT_ONCE", block)
        if len(good) <= bad.total():
            with pytest.raises(NotRatingsError, match=f"{len(good)} of {len(good) + bad.total()} rows"):
                read(path)
        else:
            assert read(path) == (list(good.values()), dict(bad))


def test_the_digest_stands_for_the_content_however_it_is_packed(tmp_path: Path) -> None:
    def digest(name: str, rows: list[Row]) -> str:
        file = RatingsFile(write_ratings(tmp_path / name, rows), "the file")
        assert sum(batch.num_rows for batch in file.batches()) == len(rows)
        return file.digest

    assert digest("a.tsv", ROWS) == digest("a.tsv.gz", ROWS) != digest("b.tsv", ROWS[:2])
