"""Rows in every format, whatever is in them."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from cli.options import Format
from cli.row_formats import Head, RowFormatError, write_rows
from cli.terminal_tables import cell

ROWS = pa.Table.from_pylist(
    [
        {"title": "Amélie | 2", "released": date(2001, 4, 25), "roi": 17.393026666666668, "votes": 11000},
        {"title": "", "released": None, "roi": float("nan"), "votes": None},
        {"title": None, "released": date(1999, 3, 31), "roi": 0.00001234, "votes": 1},
    ],
    schema=pa.schema(
        [
            ("title", pa.string()),
            ("released", pa.date32()),
            ("roi", pa.float64()),
            ("votes", pa.int64()),
        ]
    ),
)


def written(rows: pa.Table, form: Format, most_cells: int | None = None) -> str:
    stream = io.BytesIO()
    write_rows(rows.schema, rows.to_batches(max_chunksize=2), form, stream, most_cells)
    return stream.getvalue().decode()


def test_a_table_has_words_at_the_left_figures_at_the_right_and_a_dash_for_null():
    assert written(ROWS, Format.TABLE) == (
        "title       released         roi  votes\n"
        "───────────────────────────────────────\n"
        "Amélie | 2  2001-04-25    17.393  11000\n"
        "–           –                nan      –\n"  # noqa: RUF001
        "–           1999-03-31  1.23e-05      1\n"  # noqa: RUF001
    )


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        *((f"{sign}1+cmd", f"'{sign}1+cmd") for sign in "=+-@\t\r\n＝＋－＠"),  # noqa: RUF001
        ("1 = 1", "1 = 1"),
        ("one\n=2", "one\n=2"),
        ("'=1", "'=1"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_text_of_csv_that_a_spreadsheet_would_compute_is_escaped_where_that_is_asked_for(text, escaped):
    rows = pa.table({"t": pa.array([text], pa.string()), "n": [-1]})
    for escape_formulas, expected in ((False, text or ""), (True, escaped)):
        stream = io.BytesIO()
        write_rows(rows.schema, rows.to_batches(), Format.CSV, stream, escape_formulas=escape_formulas)
        lines = csv.reader(io.StringIO(stream.getvalue().decode(), newline=""))
        assert [*lines] == [["t", "n"], [expected, "-1"]]


def test_a_table_is_cut_to_the_terminal():
    rows = pa.Table.from_pylist([{"title": "The Lord of the Rings: The Return of the King", "votes": 24000}])
    assert written(rows, Format.TABLE, most_cells=30) == (
        "title                    votes\n──────────────────────────────\nThe Lord of the Rings:…  24000\n"
    )


def test_rows_that_no_terminal_is_wide_enough_for_are_blocks():
    assert written(ROWS.slice(0, 1), Format.TABLE, most_cells=24) == (
        "── 1 ─────────────────\n"
        "title     Amélie | 2\n"
        "released  2001-04-25\n"
        "roi       17.393\n"
        "votes     11000\n"
    )


def test_csv_tells_null_from_blank_text_and_rounds_nothing():
    assert written(ROWS, Format.CSV) == (
        '"title","released","roi","votes"\n'
        '"Amélie | 2",2001-04-25,17.393026666666668,11000\n'
        '"",,nan,\n'
        ",1999-03-31,0.00001234,1\n"
    )


def test_json_is_an_array_of_objects_and_ndjson_a_line_each():
    objects = [
        {"title": "Amélie | 2", "released": "2001-04-25", "roi": 17.393026666666668, "votes": 11000},
        {"title": "", "released": None, "roi": None, "votes": None},
        {"title": None, "released": "1999-03-31", "roi": 0.00001234, "votes": 1},
    ]
    assert json.loads(written(ROWS, Format.JSON)) == objects
    assert [json.loads(line) for line in written(ROWS, Format.NDJSON).splitlines()] == objects


def test_markdown_escapes_what_would_end_a_cell():
    assert written(ROWS.slice(0, 1), Format.MARKDOWN) == (
        "| title | released | roi | votes |\n"
        "| :--- | :--- | ---: | ---: |\n"
        "| Amélie \\| 2 | 2001-04-25 | 17.393 | 11000 |\n"
    )


def test_parquet_has_the_same_rows_and_types():
    stream = io.BytesIO()
    write_rows(ROWS.schema, ROWS.to_batches(), Format.PARQUET, stream)

    found = pq.read_table(pa.BufferReader(stream.getvalue()))
    assert found.schema.equals(ROWS.schema)
    assert repr(found.to_pylist()) == repr(ROWS.to_pylist())


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (Format.CSV, '"title","released","roi","votes"\n'),
        (Format.JSON, "[\n\n]\n"),
        (Format.NDJSON, ""),
        (Format.TABLE, "title  released  roi  votes\n───────────────────────────\n"),
    ],
)
def test_no_rows_are_the_format_alone(form, text):
    assert written(ROWS.slice(0, 0), form) == text


def test_two_columns_of_one_name_have_no_place_in_an_object():
    rows = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["movies", "movies"])

    assert written(rows, Format.CSV) == '"movies","movies"\n1,2\n'
    with pytest.raises(RowFormatError, match="Two columns are named movies, which json does not allow"):
        written(rows, Format.JSON)


def test_lists_structures_and_bytes_have_a_text_in_csv():
    rows = pa.Table.from_pylist([{"l": [1, 2], "s": {"a": "x"}, "b": b"\x00\xff", "d": Decimal("1.50")}])
    assert written(rows, Format.CSV) == '"l","s","b","d"\n"[1,2]","{""a"":""x""}","AP8=",1.50\n'


def test_the_first_rows_are_taken_and_the_others_counted():
    head = Head(ROWS.to_batches(max_chunksize=1), 2)

    assert [batch.num_rows for batch in head] == [1, 1]
    assert (head.rows, head.left) == (2, 1)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (1.0, "1"),
        (-0.00001, "-1e-05"),
        (-0.0, "0"),
        (1234567.891, "1234567.891"),
        (float("inf"), "inf"),
        (2019, "2019"),
        (datetime(2026, 1, 2, 3, 4, 5, 6, UTC), "2026-01-02 03:04:05"),
        (b"\x00\xff", "00ff"),
        ([1, "é"], '[1, "é"]'),
        ("a\x1b[31mb\u202ec\u2028d\x00e", "a [31mbc d e"),
    ],
)
def test_a_cell_is_one_line(value, text):
    assert cell(value) == text


TEXTS = st.lists(
    st.none()
    | st.text(alphabet=st.characters(exclude_categories=["Cs"]))
    | st.sampled_from(["|", "a\nb", "\x1b[2J", '"', "``", "\\|"]),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(texts=TEXTS, most_cells=st.integers(20, 60))
def test_no_text_breaks_out_of_its_cell(texts, most_cells):
    rows = pa.table({"text": pa.array(texts, pa.string()), "n": pa.array(range(len(texts)))})

    lines = written(rows, Format.TABLE, most_cells).split("\n")
    assert len(lines) == len(texts) + 3
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", "".join(lines))
    assert max(map(cell_len, lines)) <= most_cells
    marks = written(rows, Format.MARKDOWN).split("\n")
    assert [len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in marks] == [3] * (len(texts) + 2) + [0]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(texts=TEXTS)
def test_what_programs_read_is_what_was_there(texts):
    rows = pa.table({"text": pa.array(texts, pa.string()), "n": pa.array(range(len(texts)))})

    lines = csv.reader(io.StringIO(written(rows, Format.CSV), newline=""))
    assert [*lines][1:] == [[text or "", str(n)] for n, text in enumerate(texts)]
    assert [row["text"] for row in json.loads(written(rows, Format.JSON))] == texts
    assert [json.loads(line)["n"] for line in written(rows, Format.NDJSON).split("\n")[:-1]] == [
        *range(len(texts))
    ]
