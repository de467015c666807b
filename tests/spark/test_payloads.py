"""Payloads decoded without an engine: what fits, what is refused, and that both ways of reading agree."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Sequence
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark import payloads
from spark.payloads import DECODED, MOST_LEVELS, NAME_LISTS, NUMBERS, TEXTS, decode_payloads
from tests.spark.test_odd_payloads import oddities, payload_of

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def batch_of(
    texts: Sequence[str | None], ids: list[int] | None = None, kind: pa.DataType | None = None
) -> pa.RecordBatch:
    """A batch of raw movies with these payloads."""
    rows = len(texts)
    return pa.RecordBatch.from_pydict(
        {
            "movie_id": pa.array(ids or [1] * rows, pa.int64()),
            "fetched_at": pa.array([NOW] * rows, pa.timestamp("us", "UTC")),
            "batch_id": pa.array(["b"] * rows),
            "payload": pa.array(texts, kind or pa.string()),
        }
    )


def rows_of(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """What a batch is decoded to."""
    return [row for made in decode_payloads([batch]) for row in made.to_pylist()]


def decoded(*texts: str | None, ids: list[int] | None = None) -> list[dict[str, Any]]:
    """What each text is decoded to, all in one batch."""
    return rows_of(batch_of(texts, ids))


def fields(row: dict[str, Any]) -> dict[str, Any]:
    """What a row has of the payload."""
    unsaid = ("movie_id", "fetched_at", "batch_id", "is_malformed", "reason", "detail", "payload")
    return {name: value for name, value in row.items() if name not in unsaid and value not in (None, 0)}


def test_a_payload_is_decoded_into_silvers_terms() -> None:
    text = json.dumps(
        {
            "id": 1, "title": " A title ", "tagline": " ", "status": "Released", "overview": "",
            "release_date": "2001-02-03", "budget": 1.5e6, "revenue": "96.0", "vote_count": 7.0,
            "runtime": 90,
            "vote_average": 6.5, "belongs_to_collection": {"name": "A collection", "id": 3},
            "genres": [{"name": "Drama"}, None, {"name": "Sci|Fi"}, {"name": " "}, {}],
            "credits": {
                "cast": [{"name": "B", "order": 1}, {"name": "Z"}, {"name": "A", "order": 0}, None],
                "crew": [
                    {"name": "D", "job": "Director"}, {"name": "W", "job": "Writer"},
                    {"name": "D", "job": "Director"}, {"name": "C|E", "job": "Director"},
                ],
            },
        }
    )  # fmt: skip

    [row] = decoded(text)

    assert list(row) == list(DECODED)
    assert fields(row) == {
        "id": 1, "title": " A title ", "status": "Released", "release_date": dt.date(2001, 2, 3),
        "budget": 1.5e6, "revenue": 96.0, "vote_count": 7, "runtime": 90, "vote_average": 6.5,
        "belongs_to_collection": "A collection", "genres": "Drama|Sci/Fi", "cast": "A|B|Z", "cast_size": 3,
        "director": "D|C/E", "crew_size": 4,
    }  # fmt: skip
    assert (row["is_malformed"], row["reason"], row["payload"]) == (False, None, None)


@pytest.mark.parametrize("slice_from", [0, 1, 2])
def test_a_batch_that_is_part_of_another_is_read_from_its_own_rows(slice_from: int) -> None:
    texts = ['{"id": 1, "title": "One"}', None, '{"id": 1, "title": "Three"}']

    titles = [row["title"] for row in rows_of(batch_of(texts).slice(slice_from))]

    assert titles == ["One", None, "Three"][slice_from:]


def test_wide_and_view_strings_are_read_as_others_are() -> None:
    for kind in (pa.large_string(), pa.string_view()):
        batch = batch_of(['{"id": 1, "title": "Été"}'], kind=kind)
        assert [row["title"] for row in rows_of(batch)] == ["Été"]


def test_an_empty_batch_gives_an_empty_one() -> None:
    assert decoded() == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(None, id="null"),
        pytest.param("[" * 100_000, id="nested-without-end"),
        pytest.param('{"title": "\x01"}', id="control-character"),
        pytest.param('{"id": NaN}', id="not-a-number"),
        pytest.param("\ufeff{}", id="byte-order-mark"),
    ],
)
def test_texts_that_are_no_json_are_malformed(text: str | None) -> None:
    [row] = decoded(text)
    assert (row["is_malformed"], row["reason"], row["detail"], row["payload"]) == (
        True, "malformed", "payload", text,
    )  # fmt: skip
    assert fields(row) == {}


def test_halves_of_surrogate_pairs_become_replacement_characters() -> None:
    [row] = decoded('{"id": 1, "title": "a\\ud800b\\ud83c\\udfac"}')
    assert (row["title"], row["reason"]) == ("a\ufffdb\U0001f3ac", None)


def test_texts_that_are_given_otherwise_are_kept_as_they_are_written() -> None:
    [row] = decoded('{"id": 1, "title": 1.50, "tagline": {"a": [1e5, true, null, "x"]}}')
    assert (row["title"], row["tagline"]) == ("1.50", '{"a":[1e5,true,null,"x"]}')


@pytest.mark.parametrize(
    "value",
    [
        pytest.param('{"a": "\\ud800"}', id="value"),
        pytest.param('{"\\udfff": "\\ud800"}', id="key"),
        pytest.param('["\\ud800"]', id="entry"),
    ],
)
def test_halves_of_surrogate_pairs_inside_a_text_that_is_an_object_are_replaced(value: str) -> None:
    [row, other] = decoded(f'{{"id": 1, "title": {value}}}', '{"id": 1, "title": "Other"}')
    assert (row["reason"], "\ufffd" in row["title"], other["title"]) == (None, True, "Other")


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param('"title": {}', id="title"),
        pytest.param('"title": "T", "budget": {}', id="number"),
        pytest.param('"title": "T", "release_date": {}', id="date"),
        pytest.param('"title": "T", "genres": {}', id="list"),
        pytest.param('"title": "T", "genres": [{{"name": {}}}]', id="name-in-a-list"),
        pytest.param('"title": "T", "belongs_to_collection": {{"name": {}}}', id="collection"),
        pytest.param('"title": "T", "credits": {{"cast": [{{"order": {}}}]}}', id="cast"),
    ],
)
@pytest.mark.parametrize("levels", [MOST_LEVELS, 900, 100_000])
def test_values_nested_deep_cost_their_own_payload_only(odd: str, levels: int) -> None:
    text = f'{{"id": 1, {odd.format("[" * levels + "]" * levels)}}}'
    row, other = decoded(text, '{"id": 1, "title": "Other"}')
    assert (row["is_malformed"], row["reason"], row["payload"]) == (True, "malformed", text)
    assert row["detail"] in ("payload", f"payload nested deeper than {MOST_LEVELS} levels")
    assert (other["title"], other["reason"]) == ("Other", None)


def test_values_nested_less_deep_are_kept_as_they_are_written() -> None:
    nested = "[" * (MOST_LEVELS - 1) + "]" * (MOST_LEVELS - 1)
    [row] = decoded(f'{{"id": 1, "title": {nested}}}')
    assert (row["title"], row["reason"]) == (nested, None)


@pytest.mark.parametrize(
    "error",
    [RuntimeError("what nobody\x1b foresaw" + "!" * 1000), UnicodeEncodeError("utf-8", "\ud800", 0, 1, "no")],
)
def test_a_payload_that_raises_an_unforeseen_error_is_undecodable_with_the_error(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(text: str) -> dt.date:
        if text == "2001-01-01":
            raise error
        return dt.date(2002, 2, 2)

    monkeypatch.setattr(payloads, "_day", fail)
    odd, fine = (
        f'{{"id": 1, "title": "T", "release_date": "{day}"}}' for day in ("2001-01-01", "2002-02-02")
    )

    row, other = decoded(odd, fine)

    assert (row["is_malformed"], row["reason"], row["payload"]) == (True, "undecodable", odd)
    assert row["detail"].startswith(f"{type(error).__name__}: {str(error)[:10]}")
    assert row["detail"].isprintable() and len(row["detail"]) < 300
    assert fields(row) == {}
    assert (other["title"], other["reason"], other["release_date"]) == ("T", None, dt.date(2002, 2, 2))


def test_want_of_memory_condemns_no_payload(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(text: str) -> dt.date:
        raise MemoryError

    monkeypatch.setattr(payloads, "_day", fail)
    with pytest.raises(MemoryError):
        decoded('{"id": 1, "title": "T", "release_date": "2001-01-01"}')


MEGABYTE = 10**6
LONG_TEXTS = {
    "words": "ab " * (MEGABYTE // 3),
    "digits-and-a-letter": "1" * MEGABYTE + "x",
    "decimals-and-a-letter": "1." + "1" * MEGABYTE + "x",
    "digits-blanks-and-a-letter": "1" * (MEGABYTE // 2) + " " * (MEGABYTE // 2) + "x",
}


@pytest.mark.parametrize("long", LONG_TEXTS.values(), ids=LONG_TEXTS)
def test_a_megabyte_in_any_field_is_decoded_within_a_moment(long: str) -> None:
    name = {"name": long, "order": long, "job": "Director"}
    values: dict[str, Any] = dict.fromkeys((*TEXTS, *NUMBERS, "release_date"), long)
    values |= {field: [name] for field in NAME_LISTS}
    values |= {"belongs_to_collection": name, "credits": {"cast": [name], "crew": [name]}}
    texts = [json.dumps({"id": 1, "title": "T"} | {field: value}) for field, value in values.items()]

    started = time.perf_counter()
    rows = decoded(*texts)

    # A second here; with any cost that is not linear it takes minutes.
    assert time.perf_counter() - started < 20
    assert {row["is_malformed"] for row in rows} == {False}
    assert [row["reason"] for row in rows][: len(TEXTS)].count(None) >= len(TEXTS) - 1


def test_numbers_of_any_length_are_what_they_say_or_do_not_fit() -> None:
    zeros = "0" * MEGABYTE
    written = {
        f"1.{zeros}": 1.0,
        f"0.{zeros}1": 0.0,
        f"{zeros}7": 7.0,
        f"1{zeros}": None,
        f"1e{zeros}2": 100.0,
    }

    rows = decoded(*(json.dumps({"id": 1, "title": "T", "budget": text}) for text in written))

    assert [row["budget"] for row in rows] == list(written.values())
    assert [row["reason"] for row in rows] == [None, None, None, "bad_value", None]


def test_lists_of_many_entries_and_keys_that_repeat_are_decoded() -> None:
    many = 200_000
    cast = ",".join(f'{{"name": "n{nth}", "order": "{many - nth}"}}' for nth in range(many))
    text = f'{{"id": 2, "id": 1, "title": 5, "title": "T", "credits": {{"cast": [{cast}]}}}}'

    [row] = decoded(text)

    assert (row["id"], row["title"], row["cast_size"], row["reason"]) == (1, "T", many, None)
    assert row["cast"].startswith(f"n{many - 1}|n{many - 2}|")


@pytest.mark.slow
@settings(max_examples=300, deadline=None, database=None)
@given(st.lists(oddities, min_size=1, max_size=5))
def test_what_is_read_value_by_value_is_what_is_read_at_once(batch: list[Any]) -> None:
    texts = [payload_of(n, oddity) for n, oddity in enumerate(batch)]
    ids = list(range(len(batch)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(payloads.msgspec.json, "Decoder", Refusing)
        slowly = decoded(*texts, ids=ids)
    assert repr(decoded(*texts, ids=ids)) == repr(slowly)


class Refusing:
    """A decoder that takes every payload for an odd one."""

    def __init__(self, *_: object) -> None:
        pass

    def decode(self, _: object) -> None:
        raise msgspec.ValidationError("odd")


@pytest.mark.parametrize(
    ("text", "imdb_id"),
    [
        ("tt0133093", "tt0133093"),
        (" tt0133093\t", "tt0133093"),
        ("tt0133093\r\n", "tt0133093"),
        ("TT0133093", "tt0133093"),
        ("https://www.imdb.com/title/tt0133093/", "tt0133093"),
        ("http://m.imdb.com/title/tt0133093", "tt0133093"),
        ("https://www.imdb.com/de/title/TT0133093/?ref_=fn_all_ttl_1", "tt0133093"),
        ("imdb.com/title/tt10000018#cast\n", "tt10000018"),
        ("tt1", "tt1"),
        ("nm0000206", "nm0000206"),
        ("tt0133093 tt0234215", "tt0133093 tt0234215"),
        ("see /title/tt0133093", "see /title/tt0133093"),
        (" ", None),
        ("", None),
        (None, None),
        ("/title/" * 150_000, "/title/" * 150_000),
        (" " * 1_000_000 + "x", " " * 1_000_000 + "x"),
    ],
    ids=lambda text: repr(text)[:40],
)
def test_an_id_of_imdbs_is_the_one_that_a_text_names(text: str | None, imdb_id: str | None) -> None:
    [row] = decoded(json.dumps({"id": 1, "title": "T", "imdb_id": text}))
    assert row["imdb_id"] == imdb_id
